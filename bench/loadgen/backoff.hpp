// How long a client waits before it tries again.
#pragma once

#include <chrono>

#include "sotto/crypto/random.hpp"

namespace sotto::loadgen {

/// Doubles from one failure to the next, never sooner than the server has asked for, and each client at a
/// moment of its own: a server that comes back isn't met by everybody at once.
class Backoff {
  public:
    static constexpr std::chrono::milliseconds first{1000};
    static constexpr std::chrono::milliseconds most{60'000};

    /// At least `retry_after`; on top of it something between nothing and the present step, or `retry_after`
    /// if that is longer. Without a `retry_after`, between half the step and one and a half.
    [[nodiscard]] std::chrono::milliseconds next(std::chrono::milliseconds retry_after, crypto::Rng& rng);
    void reset() { step_ = first; }

  private:
    std::chrono::milliseconds step_ = first;
};

}  // namespace sotto::loadgen
