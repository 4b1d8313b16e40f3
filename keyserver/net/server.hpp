// The network's side: threads, listeners, connections. Asio and Beast stay behind this header.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "keyserver/core/session.hpp"
#include "keyserver/net/certificate.hpp"
#include "keyserver/net/deadlines.hpp"
#include "keyserver/net/gate.hpp"

namespace sotto::keyserver {

struct ListenAddress {
    std::string host;  ///< an IPv4 or IPv6 address without brackets
    std::uint16_t port = 0;
};

struct ServerOptions {
    ListenAddress listen;
    unsigned threads = 0;  ///< 0: one a processor
    std::size_t max_connections = 16'000;
    Patience patience{};
    GateLimits gate{};
};

/// What has happened since the start; they only grow.
struct NetCounters {
    std::atomic<std::uint64_t> accepted = 0;
    std::atomic<std::uint64_t> refused_full = 0;  ///< one more than `max_connections`
    std::atomic<std::uint64_t> refused_many = 0;  ///< one more than an address may have
    std::atomic<std::uint64_t> refused_fast = 0;  ///< too many new ones from an address
    std::atomic<std::uint64_t> handshakes = 0;    ///< of TLS, that succeeded
    std::atomic<std::uint64_t> overflowed = 0;    ///< dropped because too much waited to be written
    std::array<std::atomic<std::uint64_t>, late_kinds> late{};  ///< dropped at a deadline, by Late
};

inline void count(std::atomic<std::uint64_t>& counter) {
    counter.fetch_add(1, std::memory_order_relaxed);
}

class Shard;

/// One event loop with its own listening socket a thread; a connection lives and dies on its thread, and
/// whatever others have for it is queued there and taken in batches, once a turn of the loop.
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
    /// For connections from here on; those that are open keep what they have.
    void replace_tls(TlsContext tls);
    void replace_patience(const Patience& patience) { patience_.replace(patience); }
    [[nodiscard]] std::size_t connections() const { return connections_.load(std::memory_order_relaxed); }
    [[nodiscard]] const NetCounters& counters() const { return counters_; }
    [[nodiscard]] Gate& gate() { return gate_; }
    [[nodiscard]] const Gate& gate() const { return gate_; }

    void reply(ConnectionId connection, std::string frame) override;
    void reply_later(ConnectionId connection, std::string frame) override;
    void push(ConnectionId connection, Outgoing frame) override;
    void push_all(Pushes pushes) override;
    void run_on(unsigned thread, ConnectionId by, std::move_only_function<void()> work) override;
    void close(ConnectionId connection) override;
    void resume(ConnectionId connection, std::move_only_function<void(Session&)> step) override;

  private:
    friend class Shard;
    [[nodiscard]] Shard& shard_of(ConnectionId connection);

    TlsContext tls_;
    ServerOptions options_;
    std::atomic<std::size_t> connections_ = 0;
    Live<Patience> patience_;
    NetCounters counters_;
    Gate gate_;
    std::vector<std::unique_ptr<Shard>> shards_;
};

}  // namespace sotto::keyserver
