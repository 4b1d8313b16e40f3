// Times in a log-linear histogram: small, quick to add to, and off by less than 1 in 64.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace sotto::loadgen {

/// Counts whole microseconds: exactly below 64, above it in 64 equal steps from one power of two to the next.
class Histogram {
  public:
    /// Negative times count as 0; those of 2^40 us (12 days) and more as the longest.
    void add(std::int64_t us);
    void merge(const Histogram& other);
    [[nodiscard]] std::uint64_t count() const { return count_; }
    /// The least bound that `share` (0 to 1) of the times keep to, up to the width of a step; 0 if there is
    /// no time.
    [[nodiscard]] std::uint64_t at(double share) const;
    [[nodiscard]] std::uint64_t longest() const { return longest_; }

  private:
    static constexpr unsigned step_bits = 6;
    static constexpr unsigned time_bits = 40;
    static constexpr std::size_t steps = std::size_t{1} << step_bits;
    [[nodiscard]] static std::size_t index_of(std::uint64_t us);
    [[nodiscard]] static std::uint64_t highest_of(std::size_t index);

    std::array<std::uint64_t, (time_bits - step_bits + 1) * steps> counts_{};
    std::uint64_t count_ = 0;
    std::uint64_t longest_ = 0;
};

}  // namespace sotto::loadgen
