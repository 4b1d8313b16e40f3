#include "sotto/client/transport.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>
#include <map>
#include <thread>
#include <utility>

#include "connection.hpp"

namespace sotto::client {
namespace {

namespace asio = boost::asio;
using net::Serial;

constexpr std::chrono::seconds farewell{1};  ///< for close frames, when the transport goes

class NetworkTransport final : public Transport {
  public:
    explicit NetworkTransport(std::chrono::milliseconds connect_timeout)
        : connect_timeout_(connect_timeout),
          events_([this] { asio::post(io_, [this] { resume_all(); }); }),
          work_(asio::make_work_guard(io_)),
          grace_(io_) {
        // Signals belong to whoever waits for them, never to the network's thread.
        sigset_t all;
        sigset_t before;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        thread_ = std::thread{[this] { io_.run(); }};
        pthread_sigmask(SIG_SETMASK, &before, nullptr);
    }
    NetworkTransport(const NetworkTransport&) = delete;
    NetworkTransport& operator=(const NetworkTransport&) = delete;

    // Only exhausted memory could throw here, and then there is nothing left to do.
    ~NetworkTransport() override {  // NOLINT(bugprone-exception-escape)
        for (const auto& [id, serial] : serials_) events_.forget(serial);
        asio::post(io_, [this] {
            stopping_ = true;
            for (const auto& connection : snapshot()) connection->close();
            if (connections_.empty()) return;
            grace_.expires_after(farewell);
            grace_.async_wait([this](const boost::system::error_code& error) {
                if (error) return;
                for (const auto& connection : snapshot()) connection->abort();
            });
        });
        work_.reset();
        thread_.join();
    }

    void open(ConnectionId id, Purpose purpose, const protocol::Endpoint& endpoint) override {
        close(id);
        const auto serial = events_.open();
        serials_[id] = serial;
        asio::post(io_, [this, target = net::Target{.serial = serial,
                                                    .id = id,
                                                    .purpose = purpose,
                                                    .endpoint = endpoint,
                                                    .connect_timeout = connect_timeout_}] { start(target); });
    }

    void send(ConnectionId id, Bytes frame) override {
        const auto found = serials_.find(id);
        if (found == serials_.end()) return;
        asio::post(io_, [this, serial = found->second, frame = std::move(frame)]() mutable {
            if (const auto connection = find(serial)) connection->send(std::move(frame));
        });
    }

    void close(ConnectionId id) override {
        const auto found = serials_.find(id);
        if (found == serials_.end()) return;
        const auto serial = found->second;
        serials_.erase(found);
        events_.forget(serial);
        asio::post(io_, [this, serial] {
            if (const auto connection = find(serial)) connection->close();
        });
    }

    std::optional<NetworkEvent> wait(std::chrono::steady_clock::time_point deadline) override {
        auto event = events_.pop(deadline);
        if (event) {
            if (const auto* gone = std::get_if<Disconnected>(&*event)) {
                const auto found = serials_.find(gone->id);
                if (found != serials_.end()) {
                    events_.forget(found->second);
                    serials_.erase(found);
                }
            }
        }
        return event;
    }

    void wake() override { events_.wake(); }

  private:
    // ---- on the network's thread ----
    void start(const net::Target& target) {
        if (stopping_) return;
        connections_[target.serial] = net::connect(io_, target, events_, [this, serial = target.serial] {
            connections_.erase(serial);
            if (stopping_ && connections_.empty()) grace_.cancel();
        });
    }
    [[nodiscard]] std::shared_ptr<net::Connection> find(Serial serial) const {
        const auto found = connections_.find(serial);
        return found == connections_.end() ? nullptr : found->second;
    }
    /// Closing one may take it out of the map.
    [[nodiscard]] std::vector<std::shared_ptr<net::Connection>> snapshot() const {
        std::vector<std::shared_ptr<net::Connection>> result;
        result.reserve(connections_.size());
        for (const auto& [serial, connection] : connections_) result.push_back(connection);
        return result;
    }
    void resume_all() {
        for (const auto& connection : snapshot()) connection->resume();
    }

    std::chrono::milliseconds connect_timeout_;
    std::map<ConnectionId, Serial> serials_;  // the user's thread
    asio::io_context io_{1};
    net::EventQueue events_;
    asio::executor_work_guard<asio::io_context::executor_type> work_;
    asio::steady_timer grace_;
    std::map<Serial, std::shared_ptr<net::Connection>> connections_;  // the network's thread
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace

std::unique_ptr<Transport> make_network_transport(std::chrono::milliseconds connect_timeout) {
    return std::make_unique<NetworkTransport>(connect_timeout);
}

}  // namespace sotto::client
