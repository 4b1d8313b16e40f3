// Who is there: what a person shows of themselves, and what contacts show. docs/protocol.md section 15.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sotto::client {

/// What a person has chosen to show; kept in the store.
enum class PresenceChoice : std::uint8_t { online, away, busy, invisible };
[[nodiscard]] std::string_view name(PresenceChoice choice);

struct ChosenPresence {
    PresenceChoice choice = PresenceChoice::online;
    std::string text;  ///< at most 128 bytes of UTF-8
};

enum class PresenceKind : std::uint8_t {
    unknown,  ///< they have given no key, or their server can't be asked
    offline,  ///< or they don't show themselves to us
    online,
    away,
    busy,
};
[[nodiscard]] std::string_view name(PresenceKind kind);

/// What a contact shows.
struct PresenceView {
    PresenceKind kind = PresenceKind::unknown;
    std::string text;          ///< valid UTF-8, not yet safe to print
    std::int64_t since = 0;    ///< ms since 1970 by their clock; 0: not said
    std::uint32_t device = 0;  ///< which of theirs; 0: none
    std::uint16_t capabilities = 0;
    bool operator==(const PresenceView&) const = default;
};

}  // namespace sotto::client
