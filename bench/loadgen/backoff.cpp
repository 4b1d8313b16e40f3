#include "bench/loadgen/backoff.hpp"

#include <algorithm>

namespace sotto::loadgen {

std::chrono::milliseconds Backoff::next(std::chrono::milliseconds retry_after, crypto::Rng& rng) {
    using std::chrono::milliseconds;
    const auto up_to = [&rng](milliseconds span) {
        return milliseconds{
            static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(span.count()) + 1))};
    };
    const auto step = step_;
    step_ = std::min(step_ * 2, most);
    if (retry_after > milliseconds::zero()) return retry_after + up_to(std::max(step, retry_after));
    return step / 2 + up_to(step);
}

}  // namespace sotto::loadgen
