// A whole server: store, rules, network and metrics, put together and taken apart in the right order.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <vector>

#include "keyserver/app/store.hpp"
#include "keyserver/metrics/collect.hpp"
#include "keyserver/metrics/net/listener.hpp"
#include "keyserver/store/store_thread.hpp"

namespace sotto::keyserver {

/// What of the limits is for the network to keep.
[[nodiscard]] Patience patience_of(const Limits& limits);
[[nodiscard]] GateLimits gate_of(const Limits& limits);

class Node {
  public:
    /// Listens when it returns. `shut_in` is called once files are open, before any thread starts.
    [[nodiscard]] static Outcome<std::unique_ptr<Node>> start(
        const std::filesystem::path& data, const Config& config,
        const std::function<Outcome<void>()>& shut_in = {});
    Node(const Node&) = delete;
    Node& operator=(const Node&) = delete;
    ~Node();

    [[nodiscard]] std::uint16_t port() const { return port_; }
    /// 0 where there is no such listener.
    [[nodiscard]] std::uint16_t metrics_port() const { return metrics_ ? metrics_->port() : 0; }
    [[nodiscard]] std::size_t connections() const { return server_.connections(); }
    /// Accepts connections, and the store answers.
    [[nodiscard]] bool ready() const;
    /// In the text format of Prometheus.
    [[nodiscard]] std::string metrics() const;

    /// Takes certificate, registration and limits over; the names of the settings that another start would be
    /// needed for. After a problem everything is as it was.
    [[nodiscard]] Outcome<std::vector<std::string>> reload(const Config& next);
    /// Cuts off whom another process has shut out or deleted. To be called every second.
    void look();
    /// Removes what is past its time. To be called now and then.
    void maintain();
    /// Hands everything over to the store, tells the clients, closes. Once.
    void stop();

  private:
    Node(storage::ProfileLock lock, storage::Database store, TlsContext tls, const Config& config,
         std::shared_ptr<const IceOffer> ice);
    [[nodiscard]] Outcome<void> offer_metrics();
    [[nodiscard]] std::optional<Page> page(std::string_view path) const;
    void note_certificate(const std::filesystem::path& file);

    storage::ProfileLock lock_;
    Config config_;
    std::unique_ptr<Clock> clock_;
    crypto::SystemRng rng_;
    Server server_;
    std::unique_ptr<StoreThread> store_;
    std::unique_ptr<Service> service_;
    std::uint16_t port_ = 0;
    std::atomic<bool> running_ = false;
    std::atomic<bool> looking_ = false;
    std::atomic<std::uint64_t> certificate_expires_ = 0;
    std::optional<protocol::Pin> pin_;  ///< of the certificate in use
    std::unique_ptr<MetricsListener> metrics_;
};

}  // namespace sotto::keyserver
