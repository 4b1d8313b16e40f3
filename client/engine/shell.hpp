// What every part of the engine shares: the time of the call, randomness, and the output that the call
// returns.
#pragma once

#include <algorithm>
#include <utility>

#include "sotto/client/engine.hpp"

namespace sotto::client {

inline constexpr std::int64_t second = 1000;
inline constexpr std::int64_t minute = 60 * second;
inline constexpr std::int64_t hour = 60 * minute;
inline constexpr std::int64_t day = 24 * hour;
/// A connection that held so long was a good one: the next failure is waited out from the beginning.
inline constexpr std::int64_t steady_after = 10 * second;

struct Shell {
    crypto::Rng& rng;
    EngineConfig config;
    Output out{};
    std::int64_t now = 0;   ///< of the call that is running; for deadlines: never goes back
    std::int64_t wall = 0;  ///< the same as the caller sees it, ms since 1970; for what is stored and sent

    /// A clock that is set back costs nobody a wait.
    void advance(std::int64_t given) {
        now = now == 0 ? given : now + std::max<std::int64_t>(0, given - wall);
        wall = given;
    }
    [[nodiscard]] std::int64_t to_wall(std::int64_t deadline) const { return deadline - now + wall; }

    void act(Action action) { out.actions.push_back(std::move(action)); }
    void act(DirectAction action) { out.paths.push_back(std::move(action)); }
    void tell(Notice notice) { out.notices.push_back(std::move(notice)); }
    void warn(Error error, std::int64_t contact = 0) { tell(Warning{std::move(error), contact}); }
    [[nodiscard]] std::uint32_t today() const {
        return static_cast<std::uint32_t>(std::max<std::int64_t>(wall, 0) / day);
    }
    [[nodiscard]] Output take() { return std::exchange(out, Output{}); }
};

/// The earlier of a deadline and one more.
inline void sooner(std::optional<std::int64_t>& deadline, std::optional<std::int64_t> other) {
    if (other && (!deadline || *other < *deadline)) deadline = other;
}

/// Waits that double from `first` to `most`, each shortened by up to half, so that clients of a server that
/// comes back don't all knock at once.
class Backoff {
  public:
    [[nodiscard]] std::int64_t next(std::int64_t first, std::int64_t most, crypto::Rng& rng) {
        const auto whole = std::max<std::int64_t>(1, std::min(most, first << std::min(attempts_, 20)));
        ++attempts_;
        const auto half = whole / 2;
        return whole - static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(half) + 1));
    }
    void reset() { attempts_ = 0; }
    [[nodiscard]] int attempts() const { return attempts_; }

  private:
    int attempts_ = 0;
};

}  // namespace sotto::client
