// The data folder's files: only their owner may read them.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "keyserver/app/problem.hpp"
#include "sotto/crypto/secret.hpp"

namespace sotto::keyserver {

/// Creates the folder (0700) and those above it that are missing; refused where it holds anything.
[[nodiscard]] Outcome<void> create_empty_folder(const std::filesystem::path& folder);
/// 0600, durable on return; refused where the file exists.
[[nodiscard]] Outcome<void> write_new_file(const std::filesystem::path& file, std::string_view content);
/// Makes a file's content durable; errno says why not.
[[nodiscard]] bool sync_file(const std::filesystem::path& file);
/// Makes the names in it durable, where the file system can.
void sync_folder(const std::filesystem::path& folder);
/// What an errno means, in words.
[[nodiscard]] std::string reason(int number);
/// At most 64 KiB, which may be a key: no copy of it stays behind. `what` names the file in the sentence.
[[nodiscard]] Outcome<crypto::SecretBytes> read_small_file(const std::filesystem::path& file,
                                                           std::string_view what);
/// True if somebody else may read it.
[[nodiscard]] bool readable_by_others(const std::filesystem::path& file);

}  // namespace sotto::keyserver
