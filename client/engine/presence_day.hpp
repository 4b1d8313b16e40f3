// Which days' topics are published and watched at a moment, so that nobody who stays is seen to go when the
// day changes. docs/protocol.md section 15.3.
#pragma once

#include <cstdint>
#include <vector>

namespace sotto::client {

/// By this much a server's clock may differ from ours and still be the one that days are counted by.
inline constexpr std::int64_t clock_tolerance = 26LL * 60 * 60 * 1000;
/// A publisher turns to the new day within this time of its beginning; each at a moment of its own.
inline constexpr std::int64_t longest_turn = 10LL * 60 * 1000;
/// So long after that it still publishes under the old one.
inline constexpr std::int64_t publish_overlap = 30LL * 60 * 1000;
/// So long before a day begins, and after it has begun, the one beside it is watched too.
inline constexpr std::int64_t watch_before = 30LL * 60 * 1000;
inline constexpr std::int64_t watch_after = 60LL * 60 * 1000;
/// Then everybody has turned to the new day, and nobody has left the old one.
inline constexpr std::int64_t watch_turn = (longest_turn + publish_overlap) / 2;

/// Times in ms since 1970 on the clock that days are counted by. `turn`: 0 to `longest_turn`.
[[nodiscard]] std::vector<std::uint32_t> days_to_publish(std::int64_t time, std::int64_t turn);
[[nodiscard]] std::vector<std::uint32_t> days_to_watch(std::int64_t time);
/// The one of them that all who stay are published under at this moment, for who can't watch both.
[[nodiscard]] std::uint32_t day_to_watch_first(std::int64_t time);
/// When that next gives something else.
[[nodiscard]] std::int64_t next_day_to_watch_first(std::int64_t time);
/// When one of the first two next gives something else.
[[nodiscard]] std::int64_t next_change_of_days(std::int64_t time, std::int64_t turn);

}  // namespace sotto::client
