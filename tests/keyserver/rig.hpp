// The server's rules over a real store, with time, threads and the network replaced by what a test decides.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <vector>

#include "keyserver/core/session.hpp"
#include "keyserver/store/batch.hpp"
#include "keyserver/store/schema.hpp"
#include "sotto/crypto/prekeys.hpp"
#include "support/process.hpp"

namespace sotto::keyserver::test {

class ManualClock final : public Clock {
  public:
    [[nodiscard]] std::uint64_t unix_ms() const override { return now_; }
    [[nodiscard]] std::uint64_t steady_ms() const override { return now_; }
    void pass(std::uint64_t ms) { now_ += ms; }

  private:
    std::uint64_t now_ = 20'000ULL * day_ms + 3'600'000;
};

/// Runs what waits when it is told to, all of it in one transaction.
class ManualQueue final : public StoreQueue {
  public:
    explicit ManualQueue(storage::Database& db) : db_(&db) {}
    void run();
    [[nodiscard]] std::size_t waiting() const { return jobs_.size(); }
    void forget() { jobs_.clear(); }
    bool expect_failures = false;

  protected:
    void enqueue(std::unique_ptr<Job> job) override { jobs_.push_back(std::move(job)); }

  private:
    storage::Database* db_;
    Jobs jobs_;
};

/// A device of an account, with all its keys.
struct TestDevice {
    explicit TestDevice(std::string name, std::uint64_t seed = 1, std::uint32_t id = 1,
                        const std::string& server = "chat.example");
    /// The next record with these devices.
    [[nodiscard]] crypto::AccountRecord successor(const std::vector<crypto::Device>& devices) const;
    [[nodiscard]] crypto::Device listed() const;
    [[nodiscard]] std::string proof(crypto::LoginPurpose purpose, const Array<32>& nonce,
                                    const std::optional<Array<32>>& exporter,
                                    const std::string& server = "chat.example") const;
    /// One signed and one last-resort prekey, and so many one-time ones of each kind with ids from `first`
    /// on.
    [[nodiscard]] wire::PublishPrekeys prekeys(std::uint32_t day, std::uint32_t one_time = 3,
                                               std::uint32_t first = 1);

    crypto::SeededRng rng;
    std::string user;
    std::uint32_t id;
    crypto::AccountKeyPair account;
    crypto::DeviceSigningKeyPair signing;
    crypto::IdentityKeyPair identity;
    crypto::AccountRecord record;
};

class Rig;

/// A fake connection: what the server sent to it is read from here.
class Peer {
  public:
    Peer(Rig& rig, Purpose purpose, const std::optional<Array<32>>& exporter);
    Peer(const Peer&) = delete;
    Peer& operator=(const Peer&) = delete;
    ~Peer() { hang_up(); }

    /// Sends, lets the store run, and answers with the reply to it.
    wire::Reply ask(wire::Request request);
    /// Sends without letting anything else happen; the request's id.
    std::uint32_t send(wire::Request request);
    void send_raw(std::string_view frame);
    /// The reply to a request, if it has come.
    [[nodiscard]] std::optional<wire::Reply> reply(std::uint32_t id);
    /// The oldest push that was not taken yet.
    [[nodiscard]] std::optional<wire::Reply> push();
    /// Like push(), past everything that is no envelope.
    [[nodiscard]] std::optional<std::string> incoming();
    [[nodiscard]] const wire::Hello& hello() const { return hello_; }
    [[nodiscard]] Array<32> nonce() const;
    [[nodiscard]] bool closed() const { return closed_; }
    [[nodiscard]] ConnectionId id() const { return id_; }
    [[nodiscard]] const std::optional<Array<32>>& exporter() const { return exporter_; }
    /// The connection goes.
    void hang_up();

    [[nodiscard]] Session& session() { return *session_; }

  private:
    friend class Rig;
    Rig& rig_;
    ConnectionId id_;
    std::optional<Array<32>> exporter_;
    std::unique_ptr<Session> session_;
    wire::Hello hello_;
    std::vector<wire::Reply> replies_;
    std::vector<wire::Reply> pushes_;
    std::size_t taken_ = 0;
    bool closed_ = false;
    std::uint32_t next_request_ = 1;
};

/// The whole of the server without threads and sockets.
class Rig final : public Shell {
  public:
    explicit Rig(Policy policy = {
                     .server_name = "chat.example", .registration = Registration::open, .unbound = false});
    Rig(const Rig&) = delete;
    Rig& operator=(const Rig&) = delete;
    ~Rig() override;

    [[nodiscard]] std::unique_ptr<Peer> connect(Purpose purpose);
    /// Registers and logs in; the connection.
    std::unique_ptr<Peer> registered(const TestDevice& device, const std::string& invite = "");
    std::unique_ptr<Peer> logged_in(const TestDevice& device);
    /// Sets one shared token.
    void set_shared(Peer& peer, std::string_view token, bool discoverable = false);
    /// Runs the store until nothing waits.
    void settle();
    /// Time passes, and what was due is done.
    void pass(std::uint64_t ms);
    [[nodiscard]] std::uint32_t today() const { return unix_day(clock); }
    /// Works on the store directly.
    template <class Work>
    auto with_store(Work work) {
        std::optional<std::invoke_result_t<Work&, Stores&>> out;
        queue.submit(std::move(work), [&out](auto result) { out = std::move(result); });
        settle();
        return out;
    }
    void add_invite(const std::string& invite, std::uint64_t seconds = 3600);
    /// Everything in memory is forgotten, as by a crash; the store stays.
    void restart();

    void reply(ConnectionId connection, std::string frame) override;
    void push(ConnectionId connection, Outgoing frame) override;
    void close(ConnectionId connection) override;
    void resume(ConnectionId connection, std::move_only_function<void(Session&)> step) override;
    /// As a thread among several, each connection on its own; what another one is to do waits for settle().
    void run_on(unsigned thread, ConnectionId by, std::move_only_function<void()> work) override;

    sotto::test::TemporaryFolder folder;
    ManualClock clock;
    crypto::SeededRng rng{42};
    storage::Database db;
    Policy policy;
    ManualQueue queue;
    std::unique_ptr<Service> service;
    std::map<ConnectionId, Peer*> peers;
    std::vector<std::pair<ConnectionId, std::move_only_function<void(Session&)>>> steps;
    std::vector<std::move_only_function<void()>> elsewhere;
    unsigned threads = 1;
    ConnectionId next_connection = 1;

  private:
    std::vector<std::unique_ptr<Service>> dead_services_;
    std::vector<std::unique_ptr<Session>> dead_sessions_;
};

// ---- requests ----

[[nodiscard]] wire::Request login_request(const TestDevice& device, const std::string& proof);
[[nodiscard]] wire::Request register_request(const TestDevice& device, const std::string& proof,
                                             const std::string& invite = "");
/// An envelope of `type` that says `text`.
[[nodiscard]] std::string envelope(std::string_view text, char type = 0x12);
/// 32 bytes made of a word.
[[nodiscard]] std::string token(std::string_view word);
[[nodiscard]] std::string token_hash_of(std::string_view word);
[[nodiscard]] std::string claim(std::string_view word);
[[nodiscard]] std::string envelope_id(std::string_view word);
[[nodiscard]] wire::Request deliver_request(const std::string& user, std::uint32_t device,
                                            std::string_view id, const std::string& sealed,
                                            std::string_view token_word, std::string_view claim_word = "");
[[nodiscard]] wire::Request fetch_prekeys_request(const std::string& user, std::uint32_t device,
                                                  std::string_view token_word,
                                                  std::string_view claim_word = "");
[[nodiscard]] wire::Request record_request(const crypto::AccountRecord& record);
[[nodiscard]] wire::Request fetch_records_request(const std::string& user, std::string_view token_word,
                                                  std::uint64_t from = 0);
[[nodiscard]] wire::Request acknowledge_request(const std::vector<std::string>& ids);

/// 0 where the reply is no failure.
[[nodiscard]] wire::FailureCode code_of(const wire::Reply& reply);
[[nodiscard]] wire::DeliveryState state_of(const std::optional<wire::Reply>& reply);

}  // namespace sotto::keyserver::test
