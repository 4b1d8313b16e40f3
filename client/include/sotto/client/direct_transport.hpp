// The edge between the engine (no I/O) and direct paths to other clients. An attempt gathers what we can be
// reached by and tries what the other side sent; each connection that comes of it is a stream of bytes. A
// stream means nothing before the engine has seen who is at its other end.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "sotto/crypto/bytes.hpp"

namespace sotto::client {

using AttemptId = std::uint32_t;  ///< chosen by the engine, never used again
using StreamId = std::uint32_t;   ///< chosen by the transport, never used again

/// A STUN or TURN server.
struct IceServer {
    enum class Kind : std::uint8_t { stun, turn_udp, turn_tcp };
    Kind kind = Kind::stun;
    std::string host;
    std::uint16_t port = 0;
    std::string username;  ///< of TURN
    std::string password;
    bool operator==(const IceServer&) const = default;
};

struct TcpEndpoint {
    Bytes address;  ///< 4 or 16 bytes
    std::uint16_t port = 0;
    bool operator==(const TcpEndpoint&) const = default;
};

inline constexpr std::size_t max_candidates = 32;
inline constexpr std::size_t max_candidate_size = 256;  ///< bytes of one line, and of ufrag and password
inline constexpr std::size_t max_tcp_endpoints = 8;

/// How one side can be reached, for as long as an attempt lasts.
struct PathDescription {
    std::string ufrag;  ///< of ICE (RFC 8445); empty: no ICE
    std::string password;
    std::vector<std::string> candidates;  ///< RFC 8839 candidate-attributes
    std::vector<TcpEndpoint> tcp;         ///< where it listens
    [[nodiscard]] bool empty() const { return candidates.empty() && tcp.empty(); }
    bool operator==(const PathDescription&) const = default;
};

enum class PathKind : std::uint8_t {
    tcp,   ///< plain TCP, on the same network
    ice,   ///< UDP from device to device
    turn,  ///< UDP through a TURN server
};
[[nodiscard]] std::string_view name(PathKind kind);

struct PathSettings {
    std::vector<IceServer> servers;
    bool loopback = false;  ///< also this machine's own: where the server is on it, contacts may be too
    bool upnp = false;
    bool operator==(const PathSettings&) const = default;
};

// ---- actions ----
struct GatherPath {
    AttemptId attempt = 0;
    bool offerer = false;
    PathSettings settings;
};
struct ConnectPath {
    AttemptId attempt = 0;
    PathDescription theirs;
};
struct SendStream {
    StreamId stream = 0;
    Bytes bytes;
};
struct CloseStream {
    StreamId stream = 0;
};
/// This stream is the one: everything else of its attempt is given up.
struct KeepStream {
    AttemptId attempt = 0;
    StreamId stream = 0;
};
/// With all its streams; what was sent on them leaves first if it can at once.
struct EndPath {
    AttemptId attempt = 0;
};
using DirectAction = std::variant<GatherPath, ConnectPath, SendStream, CloseStream, KeepStream, EndPath>;

// ---- events ----
struct PathGathered {
    AttemptId attempt = 0;
    PathDescription ours;
};
struct StreamOpened {
    AttemptId attempt = 0;
    StreamId stream = 0;
    PathKind kind = PathKind::tcp;
    bool ours = false;  ///< we opened it; of ICE the offerer does
};
struct StreamBytes {
    StreamId stream = 0;
    Bytes bytes;
};
struct StreamClosed {
    StreamId stream = 0;
};
/// It goes another way now.
struct StreamMoved {
    StreamId stream = 0;
    PathKind kind = PathKind::ice;
};
using DirectEvent = std::variant<PathGathered, StreamOpened, StreamBytes, StreamClosed, StreamMoved>;

/// Runs a thread of its own. None of its functions blocks; events go to the sink, on that thread.
class DirectTransport {
  public:
    /// False: nobody takes it in, and a stream whose bytes it brought is closed.
    using Sink = std::function<bool(DirectEvent)>;
    virtual ~DirectTransport() = default;
    virtual void perform(DirectAction action) = 0;

  protected:
    DirectTransport() = default;
    DirectTransport(const DirectTransport&) = default;
    DirectTransport& operator=(const DirectTransport&) = default;
};

/// Bytes that a stream may hand over before anybody has taken them; one that brings more is closed.
inline constexpr std::size_t max_untaken = 8UL * 1024 * 1024;
/// Bytes that may wait to be sent on a stream; one whose other end takes in so little is closed.
inline constexpr std::size_t max_unsent = 8UL * 1024 * 1024;

/// ICE by libnice and TCP by GIO.
[[nodiscard]] std::unique_ptr<DirectTransport> make_direct_transport(DirectTransport::Sink sink);

}  // namespace sotto::client
