// The network's side: threads, listeners, connections. Asio and Beast stay behind this header.
#pragma once

#include <atomic>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "keyserver/core/session.hpp"
#include "keyserver/net/certificate.hpp"

namespace sotto::keyserver {

struct ListenAddress {
    std::string host;  ///< an IPv4 or IPv6 address without brackets
    std::uint16_t port = 0;
};

struct ServerOptions {
    ListenAddress listen;
    unsigned threads = 0;  ///< 0: one a processor
    std::size_t max_connections = 16'000;
};

class Shard;

/// One event loop with its own listening socket a thread; a connection lives and dies on its thread, and
/// whatever others have for it is queued there and taken in batches.
class Server final : public Shell {
  public:
    Server(TlsContext tls, ServerOptions options);
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;
    ~Server() override;

    /// Binds and starts the threads; the port that it listens on, or one sentence. `service` outlives stop().
    [[nodiscard]] std::expected<std::uint16_t, std::string> start(Service& service);
    /// No new connections from here on.
    void stop_accepting();
    /// Tells every client, closes every connection in good order, and joins the threads.
    void stop();
    [[nodiscard]] std::size_t connections() const { return connections_.load(std::memory_order_relaxed); }

    void reply(ConnectionId connection, std::string frame) override;
    void push(ConnectionId connection, std::string frame) override;
    void close(ConnectionId connection) override;
    void resume(ConnectionId connection, std::move_only_function<void(Session&)> step) override;

  private:
    friend class Shard;
    [[nodiscard]] Shard& shard_of(ConnectionId connection);

    TlsContext tls_;
    ServerOptions options_;
    std::atomic<std::size_t> connections_ = 0;
    std::vector<std::unique_ptr<Shard>> shards_;
};

}  // namespace sotto::keyserver
