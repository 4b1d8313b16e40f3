#include "keyserver/net/gate.hpp"

#include <algorithm>

namespace sotto::keyserver {

Gate::Source Gate::source_of(const std::array<unsigned char, 16>& address) {
    constexpr std::array<unsigned char, 12> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    const bool is_v4 = std::equal(mapped.begin(), mapped.end(), address.begin());
    // No network is 0:ffff::/32, so these never meet those of IPv6.
    Source source = is_v4 ? 0xffff : 0;
    for (std::size_t i = is_v4 ? 12 : 0; i < (is_v4 ? 16 : 8); ++i) source = source << 8U | address[i];
    return source;
}

Gate::Verdict Gate::enter(Source source, std::uint64_t now_ms) {
    const std::lock_guard lock(mutex_);
    if (entries_.size() >= forget_at_) forget(now_ms);
    auto& entry =
        entries_.try_emplace(source, Entry{.fresh = Bucket{limits_.burst, limits_.per_second, now_ms}})
            .first->second;
    if (limits_.connections != 0 && entry.open >= limits_.connections) return Verdict::too_many;
    if (limits_.per_second > 0 && !entry.fresh.take(now_ms)) return Verdict::too_fast;
    ++entry.open;
    return Verdict::granted;
}

void Gate::leave(Source source) {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(source);
    if (found != entries_.end() && found->second.open > 0) --found->second.open;
}

void Gate::set(const GateLimits& limits) {
    const std::lock_guard lock(mutex_);
    limits_ = limits;
    std::erase_if(entries_, [](const auto& entry) { return entry.second.open == 0; });
    for (auto& [source, entry] : entries_) entry.fresh = Bucket{limits.burst, limits.per_second, 0};
}

std::size_t Gate::tracked() const {
    const std::lock_guard lock(mutex_);
    return entries_.size();
}

/// First those that tell nothing; if that is not enough, all that have no connection: whoever has so many
/// addresses is not held up by what is remembered of each.
void Gate::forget(std::uint64_t now_ms) {
    std::erase_if(entries_, [&](const auto& entry) {
        return entry.second.open == 0 && entry.second.fresh.full(now_ms);
    });
    if (entries_.size() >= most_tracked)
        std::erase_if(entries_, [](const auto& entry) { return entry.second.open == 0; });
    const auto twice = std::max<std::size_t>(1024, 2 * entries_.size());
    forget_at_ = entries_.size() < most_tracked ? std::min(twice, most_tracked) : twice;
}

}  // namespace sotto::keyserver
