// A message's text from standard input or a file, read no further than a message may be long.
#pragma once

#include "outcome.hpp"

namespace sotto::cli {

/// One line feed at the end is dropped. The engine checks length and encoding; one byte too many is enough
/// for that.
[[nodiscard]] Result<std::string> read_text_from_stdin();
[[nodiscard]] Result<std::string> read_text_from_file(const std::string& file);

/// A QR code's text or a safety number: one line, or as many as its 60 digits stand on.
[[nodiscard]] Result<std::string> read_number_from_stdin();

/// The engine's own rules, for what is refused before a profile is opened.
[[nodiscard]] Outcome check_text(std::string_view text);

}  // namespace sotto::cli
