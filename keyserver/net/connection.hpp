// One client: TLS, the upgrade, WebSocket frames, and the session behind them. Everything happens on the
// shard's thread.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "keyserver/net/deadlines.hpp"
#include "keyserver/net/frames.hpp"
#include "keyserver/net/shard.hpp"
#include "keyserver/net/timer_wheel.hpp"
#include "keyserver/net/tls_stream.hpp"
#include "keyserver/net/upgrade.hpp"

namespace sotto::keyserver {

class Connection final : public std::enable_shared_from_this<Connection>, public TimerWheel::Entry {
  public:
    Connection(Shard& shard, ConnectionId id, Gate::Source source, TlsStream::Socket socket, ssl_ctx_st* tls);

    void start();
    void apply(Shard::Effect effect);
    /// Writes what this turn of the loop has queued.
    void flush();
    /// Writes what was held back, if it is still there.
    void release();
    /// Its tick of the wheel has come.
    void due();
    /// Says that the server stops, and closes once everything queued has left.
    void retire();
    /// At once.
    void drop();

  private:
    /// One WebSocket message, or a control frame by its opcode.
    struct Queued {
        enum class Kind : std::uint8_t { message, ping, pong } kind;
        Outgoing frame;
    };

    // coming
    void shake_hands();
    void opened(std::optional<Upgraded> outcome);
    void wait_to_read();
    void read();
    void read_on();
    /// False where nothing more may be read now.
    bool take_in(ByteView bytes);
    bool take(const FrameReader::Frame& frame);
    bool pong(ByteView payload);
    // going
    void on(Shard::Reply& reply);
    void on(Shard::Push& push);
    void on(Shard::Close& close);
    void on(Shard::Resume& step);
    void on(Shard::PushAll& /*the shard's*/) {}
    void on(Shard::Work& /*the shard's*/) {}
    enum class When : std::uint8_t { this_turn, later };
    void queue(Queued::Kind kind, Outgoing frame, When when = When::this_turn);
    /// True if all of it was taken.
    bool write(ByteView bytes);
    void write_rest();
    void wait_to_write();
    void mark();
    // ending
    void close(std::uint16_t code);
    void linger();
    void leave();
    void schedule();

    [[nodiscard]] bool may_read() const { return session_ && !session_->saturated(); }
    [[nodiscard]] std::uint64_t now() const { return shard_.now(); }

    Shard& shard_;
    ConnectionId id_;
    Gate::Source source_;
    std::uint64_t begun_us_ = Counters::now_us();
    TlsStream stream_;
    Deadlines deadlines_;
    FrameReader reader_;
    std::unique_ptr<Session> session_;
    std::vector<Queued> outbound_;
    std::size_t queued_bytes_ = 0;  ///< in `outbound_` and `unsent_`
    Bytes unsent_;                  ///< begun and not taken by the socket
    Bytes unread_;                  ///< came while too much was unanswered
    std::uint16_t close_code_ = close_code::normal;
    bool reading_ = false;  ///< waits for the socket, or is about to read on
    bool deaf_ = false;     ///< what comes is thrown away
    bool marked_ = false;   ///< to be flushed at the end of this turn
    bool held_ = false;     ///< to be flushed a little later
    bool closing_ = false;
    bool close_sent_ = false;
    bool peer_closed_ = false;
    bool gone_ = false;
};

}  // namespace sotto::keyserver
