#include "bench/loadgen/histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace sotto::loadgen {

// The first `steps` places are the times below `steps`. Behind them each power of two has `steps` places.
std::size_t Histogram::index_of(std::uint64_t us) {
    if (us < steps) return static_cast<std::size_t>(us);
    const auto shift = static_cast<unsigned>(std::bit_width(us)) - 1 - step_bits;
    return (std::size_t{shift} + 1) * steps + static_cast<std::size_t>((us >> shift) - steps);
}

std::uint64_t Histogram::highest_of(std::size_t index) {
    if (index < steps) return index;
    const auto shift = index / steps - 1;
    const auto first = (index % steps + steps) << shift;
    return first + (std::uint64_t{1} << shift) - 1;
}

void Histogram::add(std::int64_t us) {
    constexpr auto most = (std::int64_t{1} << time_bits) - 1;
    const auto time = static_cast<std::uint64_t>(std::clamp<std::int64_t>(us, 0, most));
    ++counts_.at(index_of(time));
    ++count_;
    longest_ = std::max(longest_, time);
}

void Histogram::merge(const Histogram& other) {
    for (std::size_t i = 0; i < counts_.size(); ++i) counts_.at(i) += other.counts_.at(i);
    count_ += other.count_;
    longest_ = std::max(longest_, other.longest_);
}

std::uint64_t Histogram::at(double share) const {
    if (count_ == 0) return 0;
    const auto wanted = std::max(std::ceil(std::clamp(share, 0.0, 1.0) * static_cast<double>(count_)), 1.0);
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
        seen += counts_.at(i);
        if (static_cast<double>(seen) >= wanted) return std::min(highest_of(i), longest_);
    }
    return longest_;
}

}  // namespace sotto::loadgen
