// One event loop: its listener, its connections, and what others have for them.
#pragma once

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/unordered/unordered_flat_map.hpp>
#include <mutex>
#include <thread>
#include <variant>

#include "keyserver/net/frames.hpp"
#include "keyserver/net/server.hpp"
#include "keyserver/net/timer_wheel.hpp"
#include "keyserver/net/tls_stream.hpp"

namespace sotto::keyserver {

class Connection;

/// Our own sockets share the port, which would let a second server join them unseen: so it is first asked for
/// alone.
[[nodiscard]] boost::system::error_code is_free(const boost::asio::ip::tcp::endpoint& at);

class Shard {
  public:
    struct Reply {
        std::string frame;
        bool later = false;  ///< may wait for company
    };
    struct Push {
        Outgoing frame;
    };
    struct Close {};
    using Resume = std::move_only_function<void(Session&)>;
    /// For several of the shard's connections, and for none: the connection that these are put for is 0.
    struct PushAll {
        Shell::Pushes pushes;
    };
    struct Work {
        std::move_only_function<void()> run;
    };
    using Effect = std::variant<Reply, Push, Close, Resume, PushAll, Work>;

    static constexpr unsigned index_bits = 8;  ///< of a connection's id

    Shard(Server& server, unsigned index);
    Shard(const Shard&) = delete;
    Shard& operator=(const Shard&) = delete;
    ~Shard();

    [[nodiscard]] boost::system::error_code listen(const boost::asio::ip::tcp::endpoint& at);
    [[nodiscard]] std::uint16_t port() const;
    void start(Service& service);
    /// From any thread. What is put by one thread is taken in its order.
    void put(ConnectionId connection, Effect effect);
    void replace_tls(TlsContext tls);
    void stop_accepting();
    void stop();
    void join();

    // On the shard's own thread.
    [[nodiscard]] Service& service() { return *service_; }
    [[nodiscard]] const Patience& patience() const { return *server_.patience_; }
    [[nodiscard]] NetCounters& counters() { return server_.counters_; }
    [[nodiscard]] std::uint64_t now() const { return service_->clock.steady_ms(); }
    /// To be flushed at the end of this turn of the loop, after everything that is ready now has been read.
    void mark(std::shared_ptr<Connection> connection);
    /// The same, a tenth of a second later or two.
    void mark_later(std::shared_ptr<Connection> connection);
    /// Its due() is called once this time has passed, in milliseconds, or up to a tick later. An earlier time
    /// that was set before stays.
    void schedule(TimerWheel::Entry& entry, std::uint64_t at_ms);
    void remove(ConnectionId connection, Gate::Source source);
    // What all connections of a thread take turns in using.
    [[nodiscard]] std::span<std::byte> scratch() { return scratch_; }
    [[nodiscard]] FrameBuffers& buffers() { return buffers_; }
    [[nodiscard]] FrameWriter& writer() { return writer_; }

  private:
    using Acceptor = boost::asio::basic_socket_acceptor<boost::asio::ip::tcp, TlsStream::executor_type>;

    void accept();
    void accepted(boost::system::error_code error, TlsStream::Socket socket);
    void admit(TlsStream::Socket socket);
    void tick();
    void end_turn();
    void apply(ConnectionId id, Effect& effect);
    void flush_held();

    Server& server_;
    unsigned index_;
    Service* service_ = nullptr;
    boost::asio::io_context context_{1};
    TlsContext tls_;
    Acceptor acceptor_{context_};
    boost::asio::ip::tcp::endpoint from_;  ///< where the connection that is being accepted comes from
    boost::asio::steady_timer timer_{context_};
    boost::asio::steady_timer accept_again_{context_};
    boost::asio::steady_timer held_timer_{context_};
    TimerWheel wheel_;
    Bytes scratch_;
    FrameBuffers buffers_;
    FrameWriter writer_;
    boost::unordered_flat_map<ConnectionId, std::shared_ptr<Connection>> connections_;
    std::vector<std::shared_ptr<Connection>> marked_;
    std::vector<std::shared_ptr<Connection>> flushing_;
    std::vector<std::shared_ptr<Connection>> held_;  ///< marked for later, since the held timer was set
    std::vector<std::shared_ptr<Connection>> held_longer_;  ///< and before that
    std::uint64_t next_ = 1;
    bool stopping_ = false;
    std::uint64_t stop_by_ms_ = 0;

    std::mutex mutex_;
    std::vector<std::pair<ConnectionId, Effect>> effects_;
    std::vector<std::pair<ConnectionId, Effect>> taken_;  ///< the shard's own
    std::thread thread_;
};

}  // namespace sotto::keyserver
