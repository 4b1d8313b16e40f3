// The few types that every part of the key server shares.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "sotto/crypto/bytes.hpp"
#include "sotto/crypto/invite.hpp"
#include "sotto/protocol/limits.hpp"

namespace sotto::keyserver {

using AccountId = std::int64_t;      ///< 0: no account
using ConnectionId = std::uint64_t;  ///< never used again while the server runs
using EnvelopeId = Array<protocol::envelope_id_size>;
using crypto::TokenHash;
/// Envelopes are shared between the queue to a device and the way to the mailbox, never copied.
using SharedBytes = std::shared_ptr<const std::string>;

struct DeviceKey {
    AccountId account = 0;
    std::uint32_t device = 0;
    auto operator<=>(const DeviceKey&) const = default;
};

struct DeviceKeyHash {
    std::size_t operator()(const DeviceKey& key) const noexcept {
        return std::hash<std::uint64_t>{}((static_cast<std::uint64_t>(key.account) << 8U) ^ key.device);
    }
};

/// Time is handed in. Safe from any thread.
class Clock {
  public:
    virtual ~Clock() = default;
    [[nodiscard]] virtual std::uint64_t unix_ms() const = 0;    ///< for days and expiries
    [[nodiscard]] virtual std::uint64_t steady_ms() const = 0;  ///< for intervals; never goes back

  protected:
    Clock() = default;
    Clock(const Clock&) = default;
    Clock& operator=(const Clock&) = default;
};

inline constexpr std::uint64_t day_ms = 24ULL * 3600 * 1000;

[[nodiscard]] inline std::uint64_t unix_seconds(const Clock& clock) {
    return clock.unix_ms() / 1000;
}
[[nodiscard]] inline std::uint32_t unix_day(const Clock& clock) {
    return static_cast<std::uint32_t>(clock.unix_ms() / day_ms);
}

}  // namespace sotto::keyserver
