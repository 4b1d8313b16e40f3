#include "presence_day.hpp"

#include <algorithm>
#include <array>
#include <limits>

namespace sotto::client {
namespace {

constexpr std::int64_t whole_day = 24LL * 60 * 60 * 1000;

[[nodiscard]] std::uint32_t day_at(std::int64_t time) {
    return static_cast<std::uint32_t>(std::max<std::int64_t>(time, 0) / whole_day);
}

}  // namespace

std::vector<std::uint32_t> days_to_publish(std::int64_t time, std::int64_t turn) {
    const auto newest = day_at(time - turn);
    const auto before = day_at(time - turn - publish_overlap);
    if (before == newest) return {newest};
    return {before, newest};
}

std::vector<std::uint32_t> days_to_watch(std::int64_t time) {
    std::vector<std::uint32_t> out{day_at(time - watch_after)};
    for (const auto each : {day_at(time), day_at(time + watch_before)})
        if (each != out.back()) out.push_back(each);
    return out;
}

std::uint32_t day_to_watch_first(std::int64_t time) {
    return day_at(time - watch_turn);
}

std::int64_t next_day_to_watch_first(std::int64_t time) {
    return (std::max<std::int64_t>(time - watch_turn, 0) / whole_day + 1) * whole_day + watch_turn;
}

std::int64_t next_change_of_days(std::int64_t time, std::int64_t turn) {
    auto next = std::numeric_limits<std::int64_t>::max();
    for (const auto shift :
         std::array<std::int64_t, 4>{turn, turn + publish_overlap, watch_after, -watch_before}) {
        const auto shifted = std::max<std::int64_t>(time - shift, 0);
        next = std::min(next, (shifted / whole_day + 1) * whole_day + shift);
    }
    return next;
}

}  // namespace sotto::client
