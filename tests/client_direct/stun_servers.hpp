// STUN and TURN servers on this machine that answer late or not at all (RFC 8489, RFC 8656).
#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>
#include <thread>

#include "sotto/crypto/bytes.hpp"

namespace sotto::client::test {

/// Every client is told that it was seen at 203.0.113.77.
inline constexpr std::string_view seen_address = "203.0.113.77";
/// Where a TURN server relays.
inline constexpr std::string_view relay_address = "203.0.113.99";

/// Whom it does it for.
inline constexpr std::string_view turn_user = "user";
inline constexpr std::string_view turn_password = "word";

/// On UDP: passes over the first requests of each client.
class StunServer {
  public:
    explicit StunServer(int passed_over);
    StunServer(const StunServer&) = delete;
    StunServer& operator=(const StunServer&) = delete;
    ~StunServer();
    [[nodiscard]] std::uint16_t port() const { return port_; }
    [[nodiscard]] int requests() const { return requests_; }

  private:
    void run();
    int passed_over_;
    int socket_;
    std::uint16_t port_ = 0;
    std::atomic<int> requests_ = 0;
    std::atomic<bool> stop_ = false;
    std::thread thread_;
};

/// On TCP: allocates at once.
class TurnServer {
  public:
    TurnServer();
    TurnServer(const TurnServer&) = delete;
    TurnServer& operator=(const TurnServer&) = delete;
    ~TurnServer();
    [[nodiscard]] std::uint16_t port() const { return port_; }

  private:
    void run();
    int socket_;
    std::uint16_t port_ = 0;
    std::atomic<bool> stop_ = false;
    std::thread thread_;
};

}  // namespace sotto::client::test
