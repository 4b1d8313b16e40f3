// Text that came from a person or a peer: valid UTF-8, and safe to print.
#pragma once

#include <string>
#include <string_view>

namespace sotto::protocol {

/// RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.
[[nodiscard]] bool valid_utf8(std::string_view text);

/// For terminals: control characters (but for line feed and tab, if `multiline`), bidirectional overrides and
/// isolates, zero-width and other invisible format characters are shown as visible <U+XXXX> forms; invalid
/// bytes as U+FFFD.
[[nodiscard]] std::string printable(std::string_view text, bool multiline = false);

}  // namespace sotto::protocol
