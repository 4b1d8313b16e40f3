// What hostile peers do to a server, as bytes and what follows them. Without a socket.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "sotto/crypto/random.hpp"

namespace sotto::loadgen {

enum class Mischief : std::uint8_t {
    hello,             ///< ClientHello; gone at the first byte of the answer
    handshake,         ///< a whole TLS handshake, and gone
    slow_handshake,    ///< a ClientHello, one byte a second
    slow_upgrade,      ///< the HTTP request, likewise
    slow_frame,        ///< a WebSocket frame, likewise
    deaf_device,       ///< logs in, asks and asks, and reads nothing
    deaf_sender,       ///< the same on a delivery connection
    oversized,         ///< more than there may be of something
    truncated,         ///< half of something
    random_tcp,        ///< noise instead of TLS
    random_tls,        ///< noise instead of an HTTP request
    random_websocket,  ///< noise instead of frames
};
inline constexpr std::size_t mischief_kinds = 12;
[[nodiscard]] std::string_view name_of(Mischief kind);

/// How far a peer behaves before it begins.
enum class Depth : std::uint8_t { tcp, tls, websocket };
/// What it does when its bytes are out.
enum class After : std::uint8_t {
    leave,
    leave_when_answered,
    end_writing,  ///< half-closes the TCP connection, and waits
    wait          ///< until the server ends it
};

struct Plan {
    Depth depth = Depth::tcp;
    std::string bytes;
    bool slow = false;  ///< one byte a second
    After after = After::wait;
};

/// Good bytes, from which bad ones are made.
struct Specimens {
    std::string hello;    ///< a ClientHello in its TLS record
    std::string upgrade;  ///< an HTTP request that opens a WebSocket
};

/// The plan of the peer with this number among its kind; kinds with several variants take turns. Not for the
/// deaf ones, which speak the protocol.
[[nodiscard]] Plan plan_of(Mischief kind, std::uint64_t number, const Specimens& good, crypto::Rng& rng);

/// The head of a masked binary frame that announces so many bytes, in the shortest form. RFC 6455 section
/// 5.2; the mask is zero.
[[nodiscard]] std::string frame_head(std::uint64_t announced, bool last = true, bool first = true);

/// So many a second, as whole ones: what was due and not taken in time is not made up for all at once.
class Allowance {
  public:
    explicit Allowance(double per_second) : per_second_(per_second) {}
    /// How many are due after another `seconds`.
    [[nodiscard]] std::size_t take(double seconds);

  private:
    static constexpr double most_seconds = 1;
    double per_second_;
    double owed_ = 0;
};

}  // namespace sotto::loadgen
