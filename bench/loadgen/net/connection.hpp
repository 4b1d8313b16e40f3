// One connection to the key server: TLS 1.3 straight on a non-blocking socket, the upgrade, WebSocket frames
// by libwslay. What is sent during a turn of the loop leaves in one write.
#pragma once

#include <netinet/in.h>
#include <openssl/ssl.h>
#include <wslay/wslay.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "bench/loadgen/net/loop.hpp"
#include "sotto/crypto/bytes.hpp"
#include "sotto/crypto/random.hpp"

namespace sotto::loadgen {

/// Where all of a worker's connections go.
struct Destination {
    sockaddr_storage address{};
    socklen_t address_size = 0;
    std::string host;  ///< for the HTTP request
    SSL_CTX* tls = nullptr;
    crypto::Rng* rng = nullptr;  ///< of the worker's thread
};

/// How a connection ended.
struct Ending {
    std::string why;
    std::chrono::milliseconds retry_after{0};  ///< what the server asked for
};

class Connection final : public Pollable {
  public:
    class Events {
      public:
        virtual ~Events() = default;
        virtual void opened() = 0;
        virtual void received(std::string_view message) = 0;
        /// The last event, and not for one's own `drop`.
        virtual void ended(const Ending& ending) = 0;
    };

    /// Begins to connect, from `source` (IPv4, host order) if there is one. `target`: of the WebSocket.
    Connection(Loop& loop, const Destination& to, std::optional<std::uint32_t> source, const char* target,
               Events& events);
    ~Connection() override;

    /// One binary message, once `opened` was called.
    void send(std::string_view message) { queue(WSLAY_BINARY_FRAME, message); }
    /// With a close frame; `ended` follows when the server has answered or gone.
    void close();
    /// At once, without a farewell and without an event.
    void drop();
    /// Reads nothing from here on: the server's answers pile up. Its end is noticed when something is sent.
    void deafen();
    /// A ping of WebSocket's own; at most 125 bytes.
    void ping(std::string_view payload) { queue(WSLAY_PING, payload); }
    /// Bytes that the server has not taken yet.
    [[nodiscard]] std::size_t unsent() const { return out_.size(); }
    /// RFC 9266, once `opened` was called.
    [[nodiscard]] Array<32> exporter() const;

    void on_events(std::uint32_t events) override;
    void flush() override;

  private:
    enum class State : std::uint8_t { connecting, securing, upgrading, open, closing, dead };

    void connected();
    void secure();
    void ask_upgrade();
    void read_upgrade();
    void read_frames();
    void take(const wslay_frame_iocb& part);
    void control(std::uint8_t opcode, std::string_view payload);
    void queue(std::uint8_t opcode, std::string_view payload);
    void want(std::uint32_t events);
    void fail(std::string why, std::chrono::milliseconds retry_after = {});
    [[nodiscard]] std::string tls_error(int result, const char* doing);
    /// Bytes read; 0 if there are none now, or if the connection has ended: then `broken_` says why.
    [[nodiscard]] int pull(std::uint8_t* into, std::size_t size);

    static ssize_t on_read(std::uint8_t* into, std::size_t size, int flags, void* self);
    static ssize_t on_write(const std::uint8_t* data, std::size_t size, int flags, void* self);
    static int on_mask(std::uint8_t* into, std::size_t size, void* self);

    Loop& loop_;
    const Destination& to_;
    Events& events_;
    const char* target_;
    int fd_ = -1;
    SSL* ssl_ = nullptr;
    wslay_frame_context_ptr frames_ = nullptr;
    State state_ = State::connecting;
    bool registered_ = false;  ///< in the loop
    bool unflushed_ = false;
    bool deaf_ = false;
    bool drained_ = false;  ///< of what was to be read in this turn
    std::uint32_t wanted_ = 0;
    std::string broken_;
    std::string key_;      ///< Sec-WebSocket-Key
    std::string in_;       ///< the upgrade's answer, and what came behind it
    std::string out_;      ///< to be written
    std::string message_;  ///< of several parts
    std::string control_;  ///< payload of a control frame in several parts
    std::uint64_t frame_left_ = 0;
};

}  // namespace sotto::loadgen
