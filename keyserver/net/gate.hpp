// How many connections one stranger may have, and how many new ones a second. What a stranger is, is told by
// the address: all of it for IPv4, the first 64 bits for IPv6.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <mutex>

#include "keyserver/core/bucket.hpp"

namespace sotto::keyserver {

/// Generous: whole networks share an address. Who puts a proxy in front has to raise them, or to set them to
/// 0, which is no limit.
struct GateLimits {
    std::size_t connections = 4000;  ///< at one time
    double burst = 4000;             ///< new ones at once
    double per_second = 50;          ///< and from there on; 0: no limit on new ones
};

/// Safe from any thread.
class Gate {
  public:
    using Source = std::uint64_t;
    enum class Verdict : std::uint8_t { granted, too_many, too_fast };

    static constexpr std::size_t most_tracked = 65'536;  ///< addresses without a connection, that is

    explicit Gate(const GateLimits& limits) : limits_(limits) {}

    /// The address as it stands in a packet: 16 bytes, IPv4 as ::ffff:a.b.c.d (RFC 4291 section 2.5.5.2).
    [[nodiscard]] static Source source_of(const std::array<unsigned char, 16>& address);

    /// Each `granted` is followed by one leave().
    [[nodiscard]] Verdict enter(Source source, std::uint64_t now_ms);
    void leave(Source source);
    /// For new connections from here on.
    void set(const GateLimits& limits);

    [[nodiscard]] std::size_t tracked() const;

  private:
    struct Entry {
        std::size_t open = 0;
        Bucket fresh;
    };
    void forget(std::uint64_t now_ms);

    mutable std::mutex mutex_;
    GateLimits limits_;
    std::map<Source, Entry> entries_;  // a tree: strangers choose the keys
    std::size_t forget_at_ = 1024;
};

}  // namespace sotto::keyserver
