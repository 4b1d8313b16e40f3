// One event loop: its listener, its connections, and what others have for them.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <variant>

#include "keyserver/net/server.hpp"

namespace sotto::keyserver {

class Connection;

class Shard {
  public:
    struct Reply {
        std::string frame;
    };
    struct Push {
        std::string frame;
    };
    struct Close {};
    using Resume = std::move_only_function<void(Session&)>;
    using Effect = std::variant<Reply, Push, Close, Resume>;

    static constexpr unsigned index_bits = 8;  ///< of a connection's id

    Shard(Server& server, unsigned index);
    Shard(const Shard&) = delete;
    Shard& operator=(const Shard&) = delete;
    ~Shard();

    [[nodiscard]] boost::system::error_code listen(const boost::asio::ip::tcp::endpoint& at);
    [[nodiscard]] std::uint16_t port() const;
    void start(Service& service);
    /// From any thread.
    void put(ConnectionId connection, Effect effect);
    void stop_accepting();
    void stop();
    void join();

    // On the shard's own thread.
    [[nodiscard]] Service& service() { return *service_; }
    [[nodiscard]] boost::asio::io_context& context() { return context_; }
    /// The connection must prove who it is until then, or it is dropped.
    void expect_login(ConnectionId connection);
    void remove(ConnectionId connection);

  private:
    void accept();
    void accepted(boost::system::error_code error, boost::asio::ip::tcp::socket socket);
    void tick();
    void take_effects();

    Server& server_;
    unsigned index_;
    Service* service_ = nullptr;
    boost::asio::io_context context_{1};
    boost::asio::ssl::context tls_;
    boost::asio::ip::tcp::acceptor acceptor_{context_};
    boost::asio::steady_timer timer_{context_};
    boost::asio::steady_timer accept_again_{context_};
    std::unordered_map<ConnectionId, std::shared_ptr<Connection>> connections_;
    std::deque<std::pair<std::uint64_t, ConnectionId>> logins_due_;
    std::uint64_t next_ = 1;
    bool stopping_ = false;
    std::uint64_t stop_by_ms_ = 0;

    std::mutex mutex_;
    std::vector<std::pair<ConnectionId, Effect>> effects_;
    std::thread thread_;
};

}  // namespace sotto::keyserver
