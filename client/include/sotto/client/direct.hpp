// Direct sessions: who may have one, and how a contact is reached. docs/protocol.md section 16.
#pragma once

#include <cstdint>
#include <string_view>

#include "sotto/client/direct_transport.hpp"

namespace sotto::client {

/// With whom a direct session may be made, which shows them our network address.
enum class DirectPolicy : std::uint8_t { off, verified, contacts };
[[nodiscard]] std::string_view name(DirectPolicy policy);

enum class DirectState : std::uint8_t { relayed, connecting, direct };

struct DirectView {
    DirectState state = DirectState::relayed;
    PathKind kind = PathKind::tcp;  ///< while `direct`
    bool operator==(const DirectView&) const = default;
};

/// What a presence blob says of it: capabilities, bit 0.
inline constexpr std::uint16_t capability_direct = 1;

}  // namespace sotto::client
