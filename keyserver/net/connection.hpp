// One client: TLS, HTTP, WebSocket, and the session behind them. Everything happens on the shard's thread.
#pragma once

#include <memory>

#include "keyserver/net/shard.hpp"

namespace sotto::keyserver {

class Connection {
  public:
    [[nodiscard]] static std::shared_ptr<Connection> make(Shard& shard, ConnectionId id,
                                                          boost::asio::ip::tcp::socket socket,
                                                          boost::asio::ssl::context& tls);
    Connection() = default;
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    virtual ~Connection() = default;

    virtual void start() = 0;
    virtual void apply(Shard::Effect effect) = 0;
    /// Says that the server stops, and closes once everything queued has left.
    virtual void retire() = 0;
    /// At once.
    virtual void drop() = 0;
    [[nodiscard]] virtual bool settled() const = 0;
};

}  // namespace sotto::keyserver
