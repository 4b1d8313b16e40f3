// Makes the vector files and verifies them, through the same code. docs/protocol.md section 14.
#pragma once

#include <filesystem>

#include "world.hpp"

namespace sotto::vectors {

/// All files, by name. The same bytes every time.
[[nodiscard]] Files generate();
/// As it stands in the file.
[[nodiscard]] std::string printed(const Json& file);

/// Throws Mismatch: the library does something else with what is given, a definition doesn't hold, or a file
/// or field is missing or one too many.
void verify(const Files& files);
/// One file, the others being right; or one of its cases.
void verify_file(const Files& files, const std::string& name);
void verify_case(const Files& files, const Kind& kind, const Json& one);

[[nodiscard]] Files read(const std::filesystem::path& folder);
void write(const Files& files, const std::filesystem::path& folder);

}  // namespace sotto::vectors
