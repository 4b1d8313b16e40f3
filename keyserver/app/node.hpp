// A whole server: store, rules and network, put together and taken apart in the right order.
#pragma once

#include <filesystem>
#include <memory>

#include "keyserver/app/config.hpp"
#include "keyserver/store/store_thread.hpp"
#include "sotto/storage/profile.hpp"

namespace sotto::keyserver {

/// Opens the store of a data folder. `shared`: another process has it open.
[[nodiscard]] Outcome<storage::Database> open_store(const std::filesystem::path& data, const Config& config,
                                                    bool shared);

class Node {
  public:
    /// Listens when it returns.
    [[nodiscard]] static Outcome<std::unique_ptr<Node>> start(const std::filesystem::path& data,
                                                              const Config& config);
    Node(const Node&) = delete;
    Node& operator=(const Node&) = delete;
    ~Node();

    [[nodiscard]] std::uint16_t port() const { return port_; }
    [[nodiscard]] std::size_t connections() const { return server_.connections(); }
    /// Removes what is past its time. To be called now and then.
    void maintain();
    /// Hands everything over to the store, tells the clients, closes. Once.
    void stop();

  private:
    Node(storage::ProfileLock lock, storage::Database store, TlsContext tls, const Config& config);

    storage::ProfileLock lock_;
    std::unique_ptr<Clock> clock_;
    crypto::SystemRng rng_;
    Server server_;
    std::unique_ptr<StoreThread> store_;
    std::unique_ptr<Service> service_;
    std::uint16_t port_ = 0;
    bool running_ = false;
};

}  // namespace sotto::keyserver
