// QR codes for terminals.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sotto::cli {

/// Two modules a character, as half blocks: light ones are drawn, as most terminals are dark. Nothing if it
/// is too long.
[[nodiscard]] std::optional<std::string> qr_code(std::string_view text);

}  // namespace sotto::cli
