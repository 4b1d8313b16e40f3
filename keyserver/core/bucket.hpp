// A token bucket: bursts up to a size, then a rate.
#pragma once

#include <algorithm>
#include <cstdint>
#include <unordered_map>

namespace sotto::keyserver {

class Bucket {
  public:
    Bucket(double burst, double per_second, std::uint64_t now_ms)
        : burst_(burst), per_ms_(per_second / 1000), level_(burst), at_(now_ms) {}

    [[nodiscard]] bool take(std::uint64_t now_ms, double many = 1) {
        level_ = level_at(now_ms);
        at_ = std::max(at_, now_ms);
        if (level_ < many) return false;
        level_ -= many;
        return true;
    }
    [[nodiscard]] bool full(std::uint64_t now_ms) const { return level_at(now_ms) >= burst_; }
    /// Milliseconds until take() succeeds, for so many of the burst at most.
    [[nodiscard]] std::uint32_t wait_ms(double many = 1) const {
        return level_ >= many ? 0 : static_cast<std::uint32_t>((many - level_) / per_ms_) + 1;
    }

  private:
    [[nodiscard]] double level_at(std::uint64_t now_ms) const {
        const auto passed = now_ms > at_ ? now_ms - at_ : 0;
        return std::min(burst_, level_ + static_cast<double>(passed) * per_ms_);
    }
    double burst_;
    double per_ms_;
    double level_;
    std::uint64_t at_;
};

/// One bucket a key, at most `most` of them: full ones are forgotten first, then nothing more is allowed
/// until some are.
template <class Key, class Hash>
class Buckets {
  public:
    Buckets(double burst, double per_second, std::size_t most)
        : burst_(burst), rate_(per_second), most_(most) {}

    [[nodiscard]] bool take(const Key& key, std::uint64_t now_ms) {
        auto found = buckets_.find(key);
        if (found == buckets_.end()) {
            if (buckets_.size() >= most_)
                std::erase_if(buckets_, [&](const auto& entry) { return entry.second.full(now_ms); });
            if (buckets_.size() >= most_) return false;
            found = buckets_.emplace(key, Bucket{burst_, rate_, now_ms}).first;
        }
        return found->second.take(now_ms);
    }
    [[nodiscard]] std::uint32_t wait_ms(const Key& key) const {
        const auto found = buckets_.find(key);
        return found == buckets_.end() ? 1000 : found->second.wait_ms();
    }

    /// Another size and rate; what was taken before is forgotten if they differ.
    void retune(double burst, double per_second) {
        const bool same =
            !(burst < burst_) && !(burst > burst_) && !(per_second < rate_) && !(per_second > rate_);
        if (same) return;
        burst_ = burst;
        rate_ = per_second;
        buckets_.clear();
    }

  private:
    double burst_;
    double rate_;
    std::size_t most_;
    std::unordered_map<Key, Bucket, Hash> buckets_;
};

}  // namespace sotto::keyserver
