// Clients with real stores, servers with the real rules, and between them a network and a clock that are
// simulated: everything is decided by one seed.
#pragma once

#include <gtest/gtest.h>

#include "client/paths.hpp"
#include "client/server.hpp"
#include "sotto/client/engine.hpp"
#include "sotto/client/registration.hpp"
#include "sotto/storage/client_store.hpp"

namespace sotto::client::test {

/// What a process that dies leaves behind: thrown out of a draw of randomness, in the middle of anything.
struct Crash {};

/// A generator that can be told to die.
class CrashingRng final : public crypto::Rng {
  public:
    explicit CrashingRng(std::uint64_t seed) : rng_(seed) {}
    void fill(std::span<std::byte> out) override {
        if (countdown_ > 0) {
            --countdown_;
            if (countdown_ == 0) throw Crash{};
        }
        rng_.fill(out);
    }
    /// Dies at the n-th draw from now; 0: never.
    void die_at(int n) { countdown_ = n; }

  private:
    crypto::SeededRng rng_;
    int countdown_ = 0;
};

inline constexpr std::int64_t a_day = 24LL * 3600 * 1000;  ///< ms

/// What a result holds, by value: `for (… : result().value())` would outlive what it walks through.
template <class T, class E>
T take(std::expected<T, E> result) {
    return std::move(result.value());
}

/// A fresh folder, in memory where there is such a place; gone at the end.
class Folder {
  public:
    Folder();
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder();
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  private:
    std::filesystem::path path_;
};

struct Faults {
    std::int64_t latency = 20;    ///< ms, one way
    std::int64_t jitter = 0;      ///< up to so much more
    std::uint32_t cut = 0;        ///< of 10,000 frames, so many end their connection instead of arriving
    std::uint32_t duplicate = 0;  ///< of 10,000 pushed envelopes, so many come twice
    std::uint32_t swap = 0;       ///< of 10,000 pushed envelopes, so many come after the next one
};

class World;

/// One person's client: a store and, while it runs, an engine.
class Client {
  public:
    Client(World& world, std::string user, SimServer& home, std::uint64_t seed);
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;
    ~Client() = default;

    /// Creates the account; throws with the sentence if that fails.
    void init(const std::string& invite = {});
    /// The same, and the outcome as it is.
    [[nodiscard]] std::optional<Error> try_init(const std::string& invite = {}, bool accept_unbound = false);

    void start();
    void start_sending();
    void stop();
    /// The process dies and nothing of the last output leaves.
    void crash();
    [[nodiscard]] bool running() const { return engine_.has_value(); }
    [[nodiscard]] Engine& engine() { return *engine_; }
    [[nodiscard]] storage::ClientStore& store() { return *store_; }
    [[nodiscard]] CrashingRng& rng() { return rng_; }

    /// Runs an engine call and carries out what it returns; a Crash ends the process.
    template <class Call>
    void apply(Call call) {
        try {
            carry_out(call());
        } catch (const Crash&) {
            crash();
        }
    }
    void handle(NetworkEvent event);
    void handle(DirectEvent event);
    /// Counts the runs: what was meant for an earlier one doesn't arrive.
    [[nodiscard]] std::uint64_t life() const { return life_; }
    void tick();
    [[nodiscard]] std::optional<std::int64_t> next_deadline() const;

    // ---- commands ----
    /// The message id, or the error as gtest failure.
    storage::MessageId send(const std::string& contact, std::string_view text);
    [[nodiscard]] Result<storage::MessageId> try_send(const std::string& contact, std::string_view text);
    [[nodiscard]] protocol::ContactLink invite();
    /// Engine errors are returned, warnings are in `warnings`.
    [[nodiscard]] std::optional<Error> join(const protocol::ContactLink& link, const std::string& name);

    /// By the contact's name; the error if it can't be done.
    std::optional<Error> block(const std::string& name) { return decide(&Engine::block, name); }
    std::optional<Error> unblock(const std::string& name) { return decide(&Engine::unblock, name); }
    std::optional<Error> remove(const std::string& name) { return decide(&Engine::remove, name); }

    // ---- what is known ----
    [[nodiscard]] std::optional<storage::Contact> contact(const std::string& name);
    /// Texts that came from a contact, in the order of their arrival.
    [[nodiscard]] std::vector<std::string> heard(const std::string& contact);
    [[nodiscard]] std::vector<storage::Message> incoming(const std::string& contact);
    [[nodiscard]] storage::MessageState state_of(const std::string& contact, const storage::MessageId& id);
    template <class N>
    [[nodiscard]] std::vector<N> notices() const {
        std::vector<N> out;
        for (const auto& notice : notices_)
            if (const auto* found = std::get_if<N>(&notice)) out.push_back(*found);
        return out;
    }
    [[nodiscard]] std::vector<Warning> warnings() const { return notices<Warning>(); }
    [[nodiscard]] bool warned(Exit exit) const;
    void forget_notices() { notices_.clear(); }

    /// Of a client that doesn't run: its store is copied, and put back in the state of that copy.
    void keep_copy();
    void put_back();
    /// The store of a client that doesn't run.
    storage::ClientStore& opened();
    [[nodiscard]] const crypto::AccountKeyPair& account_key() const { return *account_key_; }
    /// Another home than the one that gave its profile a place, before the account is made.
    void settle_at(SimServer& server) { home_ = &server; }

    const std::string user;
    bool wrong_pin = false;  ///< the person was given another pin
    std::function<void(const Notice&)> on_notice;

  private:
    friend class World;
    std::optional<Error> decide(Result<Output> (Engine::*decision)(std::int64_t, std::int64_t),
                                const std::string& name);
    void open_store();
    void carry_out(Output output);
    void launch();

    World* world_;
    SimServer* home_;
    std::filesystem::path file_;
    CrashingRng rng_;
    std::unique_ptr<storage::ClientStore> store_;
    std::optional<crypto::AccountKeyPair> account_key_;
    std::optional<Engine> engine_;
    std::unique_ptr<Registration> registration_;
    std::optional<Error> registration_error_;
    bool registered_ = false;
    std::vector<Notice> notices_;
    std::uint64_t life_ = 0;  ///< events of an earlier life don't arrive
};

class World {
  public:
    explicit World(std::uint64_t seed = 1);
    ~World();
    World(const World&) = delete;
    World& operator=(const World&) = delete;

    SimServer& add_server(const std::string& name);
    /// Registered and running.
    Client& add(const std::string& user, SimServer& home);
    /// Not registered.
    Client& add_new(const std::string& user, SimServer& home);

    /// Until `done` or `limit` ms have passed; true if done.
    bool run(const std::function<bool()>& done, std::int64_t limit = 60'000);
    void run_for(std::int64_t ms);
    /// Until every client is idle and nothing is on its way.
    bool settle(std::int64_t limit = 60'000);

    void kill(SimServer& server);
    /// The client's connections of this kind break.
    void cut(const Client& client, Purpose purpose) {
        for (const auto& wire : wires_)
            if (wire->client == &client && wire->purpose == purpose) cut(*wire);
    }
    [[nodiscard]] std::size_t open_connections() const;
    void at(std::int64_t when, std::function<void()> what);
    void later(std::int64_t ms, std::function<void()> what) { at(clock.now + ms, std::move(what)); }

    SimClock clock;
    Faults faults;
    SimPaths paths{*this};
    crypto::SeededRng dice;
    Folder folder;
    EngineConfig config;

  private:
    friend class Client;
    struct Wire {
        Client* client = nullptr;
        std::uint64_t life = 0;
        ConnectionId local = 0;
        Purpose purpose = Purpose::identified;
        SimServer* server = nullptr;
        keyserver::ConnectionId remote = 0;
        bool open = true;
        std::int64_t client_clear = 0;  ///< arrival times never fall back: one connection keeps its order
        std::int64_t server_clear = 0;
        std::optional<Bytes> held;  ///< a push that waits for the next one
    };
    void connect(Client& client, const OpenConnection& open);
    void to_server(Client& client, const SendFrame& frame);
    void hang_up(Client& client, ConnectionId connection);
    void drop_all(const Client& client);
    void from_servers();
    void to_client(Wire& wire, Bytes frame);
    void cut(Wire& wire);
    Wire* find(const Client& client, ConnectionId connection);
    [[nodiscard]] std::int64_t delay();
    [[nodiscard]] bool chance(std::uint32_t of_ten_thousand);
    [[nodiscard]] bool step(std::int64_t until);

    std::vector<std::unique_ptr<SimServer>> servers_;
    std::vector<std::unique_ptr<Client>> clients_;
    std::vector<std::unique_ptr<Wire>> wires_;
    std::multimap<std::int64_t, std::function<void()>> events_;
    std::int64_t server_tick_ = 0;
    std::uint64_t seed_;
};

/// The seed of a random run: SOTTO_SEED, or the given one.
[[nodiscard]] std::uint64_t chosen_seed(std::uint64_t otherwise);

}  // namespace sotto::client::test
