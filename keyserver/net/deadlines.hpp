// How long one connection may take over what. docs/protocol.md section 12.6.
#pragma once

#include <cstdint>
#include <optional>

#include "keyserver/core/limits.hpp"

namespace sotto::keyserver {

/// All in milliseconds.
struct Patience {
    std::uint64_t handshake = limits::handshake_ms;  ///< from the connection to the open WebSocket
    std::uint64_t login = limits::login_ms;          ///< from there to a proof
    std::uint64_t message = limits::message_ms;      ///< from a message's first byte to its last
    std::uint64_t write = 30'000;                    ///< for what is being written to be taken
    std::uint64_t idle = 600'000;                    ///< without a sign of life; a ping at half of it
    std::uint64_t close = limits::close_ms;          ///< from the decision to close to the end
};

/// Why a connection was given up.
enum class Late : std::uint8_t { handshake, login, message, write, idle, close };
inline constexpr std::size_t late_kinds = 6;

/// Knows no clock: everything is told the time, in milliseconds that never go back. Something is late when
/// more time has passed than it may take.
class Deadlines {
  public:
    Deadlines(const Patience& patience, std::uint64_t now) : patience_(&patience), heard_(now), stage_(now) {}

    /// The WebSocket is open.
    void opened(std::uint64_t now, bool must_log_in);
    void logged_in() { must_log_in_ = false; }
    /// Bytes came.
    void heard(std::uint64_t now) {
        heard_ = now;
        pinged_ = false;
    }
    /// What has come ends inside a message, or doesn't. Only the first of several that do counts.
    void inside_message(bool inside, std::uint64_t now) { begin_or_end(message_, inside, now); }
    /// The peer doesn't take what is written now, or has taken all of it.
    void blocked(bool is, std::uint64_t now) { begin_or_end(write_, is, now); }
    void closing(std::uint64_t now);

    [[nodiscard]] std::optional<Late> late(std::uint64_t now) const;
    /// True once after half of the idle time: then a ping is to be sent.
    [[nodiscard]] bool take_ping(std::uint64_t now);
    /// Nothing of this can change before then, unless something else is said first.
    [[nodiscard]] std::uint64_t next() const;

  private:
    static constexpr std::uint64_t none = UINT64_MAX;
    static void begin_or_end(std::uint64_t& since, bool is, std::uint64_t now) {
        if (!is)
            since = none;
        else if (since == none)
            since = now;
    }
    template <class Visit>
    void each(Visit visit) const;

    const Patience* patience_;
    std::uint64_t heard_;
    std::uint64_t stage_;  ///< when it connected, opened, or began to close
    std::uint64_t message_ = none;
    std::uint64_t write_ = none;
    bool open_ = false;
    bool must_log_in_ = false;
    bool closing_ = false;
    bool pinged_ = false;
};

}  // namespace sotto::keyserver
