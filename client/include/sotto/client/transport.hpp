// The edge between the engine (no I/O) and the network: connections, frames and how they fail.
// A transport runs its own thread; events come back through one queue that any thread may wait on.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "sotto/crypto/bytes.hpp"
#include "sotto/protocol/link.hpp"

namespace sotto::client {

using ConnectionId = std::uint32_t;

/// Connections of different purposes share nothing: no TLS ticket, no HTTP header that could join them.
enum class Purpose : std::uint8_t { identified, delivery, presence };

enum class NetworkError : std::uint8_t {
    unreachable,            ///< name not found, refused, timed out
    old_tls,                ///< the server offers no TLS 1.3
    wrong_pin,              ///< its key is not the pinned one
    untrusted_certificate,  ///< no pin, and no chain to a trusted root (self-signed, unknown issuer)
    expired_certificate,    ///< no pin, and the certificate's days are over (or not yet begun)
    wrong_host,             ///< no pin, and the certificate names another host
    not_sotto,              ///< TLS worked, the WebSocket upgrade didn't
    closed,                 ///< it was open and ended
};

// ---- events ----
struct Connected {
    ConnectionId id = 0;
    Array<32> exporter{};                      ///< RFC 9266 tls-exporter of this connection
    std::optional<std::string> verified_host;  ///< Web PKI: the name that the certificate was checked against
    std::string tls;                           ///< version, cipher and group, for `status`
};
struct FrameReceived {
    ConnectionId id = 0;
    Bytes frame;
};
struct Disconnected {
    ConnectionId id = 0;
    NetworkError error = NetworkError::closed;
    std::string detail;  ///< for logs
};
using NetworkEvent = std::variant<Connected, FrameReceived, Disconnected>;

class Transport {
  public:
    virtual ~Transport() = default;
    /// Starts to connect; ends in one Connected or Disconnected. Never blocks.
    virtual void open(ConnectionId id, Purpose purpose, const protocol::Endpoint& endpoint) = 0;
    /// In order; frames for a connection that is gone are dropped.
    virtual void send(ConnectionId id, Bytes frame) = 0;
    /// With a close frame; no event follows.
    virtual void close(ConnectionId id) = 0;
    /// The next event, waiting until `deadline` at most.
    [[nodiscard]] virtual std::optional<NetworkEvent> wait(
        std::chrono::steady_clock::time_point deadline) = 0;
    /// Makes a waiting `wait` return nothing; safe in a signal handler's thread.
    virtual void wake() = 0;

  protected:
    Transport() = default;
    Transport(const Transport&) = default;
    Transport& operator=(const Transport&) = default;
};

/// TLS 1.3 and WebSocket by Beast, on one thread of its own. `connect_timeout` covers DNS to upgrade.
[[nodiscard]] std::unique_ptr<Transport> make_network_transport(
    std::chrono::milliseconds connect_timeout = std::chrono::seconds{10});

}  // namespace sotto::client
