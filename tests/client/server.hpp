// The real rules of the key server over a simulated network: same classes, same SQL, no thread and no socket.
#pragma once

#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <set>

#include "keyserver/core/session.hpp"
#include "sotto/client/transport.hpp"
#include "sotto/storage/database.hpp"

namespace sotto::client::test {

/// Simulated time, in ms since 1970.
struct SimClock final : keyserver::Clock {
    std::int64_t now = 1'800'000'000'000;
    std::int64_t set_by = 0;  ///< how far the wall clock was set, back or forth
    [[nodiscard]] std::int64_t wall() const { return now + set_by; }
    [[nodiscard]] std::uint64_t unix_ms() const override { return static_cast<std::uint64_t>(wall()); }
    [[nodiscard]] std::uint64_t steady_ms() const override { return static_cast<std::uint64_t>(now); }
};

/// What leaves the server, in order.
struct ServerOutput {
    keyserver::ConnectionId connection = 0;
    Bytes frame;
    bool close = false;
};

class SimServer final : public keyserver::Shell, public keyserver::StoreQueue {
  public:
    SimServer(std::string name, protocol::Endpoint endpoint, const std::filesystem::path& folder,
              const SimClock& clock, std::uint64_t seed);
    SimServer(const SimServer&) = delete;
    SimServer& operator=(const SimServer&) = delete;
    ~SimServer() override;

    [[nodiscard]] const protocol::Endpoint& endpoint() const { return endpoint_; }
    [[nodiscard]] const std::string& name() const { return policy_.server_name; }
    /// What the operator decides anew.
    template <class Change>
    void change_policy(Change change) {
        change(policy_);
        if (service_) service_->set_policy(policy_);
    }

    /// The process dies: connections and memory are gone, the database stays.
    void kill();
    void restart();
    [[nodiscard]] const keyserver::Presence& presence() const { return service_->presence; }
    [[nodiscard]] bool up() const { return service_ != nullptr; }

    [[nodiscard]] keyserver::ConnectionId accept(Purpose purpose, const Array<32>& exporter);
    void receive(keyserver::ConnectionId connection, ByteView frame);
    void disconnect(keyserver::ConnectionId connection);
    void tick();
    /// Something waits for its acknowledgement, and the server's patience is counted.
    [[nodiscard]] bool counting() const { return service_ && service_->hub.counts().outstanding > 0; }
    /// Runs the work that waits for the store; what has to be sent since the last call.
    [[nodiscard]] std::vector<ServerOutput> take();

    /// Sees every frame on its way out and may change it: a server that lies.
    std::function<void(wire::Reply&)> lie;
    /// Sees every request on its way in: a server that remembers.
    std::function<void(keyserver::ConnectionId, const wire::Request&)> remember;

    /// Puts an envelope into the mailbox of a user's device, as anybody with a token could; it is pushed at
    /// the next log-in.
    [[nodiscard]] bool slip_in(const std::string& user, ByteView envelope, std::uint16_t id);
    [[nodiscard]] std::int64_t mail_waiting();
    [[nodiscard]] std::int64_t one_time_left();
    /// For attacks that need the server's own hands.
    [[nodiscard]] storage::Database& database() { return *db_; }

    // keyserver::Shell
    void reply(keyserver::ConnectionId connection, std::string frame) override;
    void push(keyserver::ConnectionId connection, keyserver::Outgoing frame) override;
    void close(keyserver::ConnectionId connection) override;
    void run_on(unsigned thread, keyserver::ConnectionId by, std::move_only_function<void()> work) override;
    void resume(keyserver::ConnectionId connection,
                std::move_only_function<void(keyserver::Session&)> step) override;

  protected:
    void enqueue(std::unique_ptr<Job> job) override { jobs_.push_back(std::move(job)); }

  private:
    void work();
    void out(keyserver::ConnectionId connection, const std::string& frame);
    [[nodiscard]] std::int64_t count(std::string_view sql);

    keyserver::Policy policy_;
    protocol::Endpoint endpoint_;
    std::filesystem::path file_;
    const SimClock* clock_;
    crypto::SeededRng rng_;
    std::optional<storage::Database> db_;
    std::unique_ptr<keyserver::Service> service_;
    std::map<keyserver::ConnectionId, std::unique_ptr<keyserver::Session>> sessions_;
    std::deque<std::unique_ptr<Job>> jobs_;
    std::vector<ServerOutput> output_;
    keyserver::ConnectionId next_ = 1;
};

}  // namespace sotto::client::test
