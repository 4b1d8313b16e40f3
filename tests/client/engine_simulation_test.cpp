// Random runs: messages in both directions while connections are cut, the server dies and clients crash in
// the middle of anything. Every message arrives exactly once, in the order of its sender. A failing run is
// repeated by its seed: SOTTO_SEED=17 engine_simulation_test --gtest_filter=Simulation.*
#include "client/pair.hpp"

namespace sotto::client::test {
namespace {

using storage::ContactState;
using storage::MessageState;

struct Plan {
    int messages = 40;  ///< each way
    std::int64_t latency = 20;
    std::int64_t jitter = 30;
    std::uint32_t cut = 0;
    std::uint32_t duplicate = 0;
    std::uint32_t swap = 0;
    std::uint32_t client_crash = 0;  ///< of 10,000 steps
    std::uint32_t server_crash = 0;
    bool two_servers = false;
};

class Run {
  public:
    Run(std::uint64_t seed, const Plan& plan) : plan_(plan), world_(seed) {
        first_ = &world_.add_server("one.example");
        second_ = plan.two_servers ? &world_.add_server("two.example") : first_;
        alice_ = &world_.add("alice", *first_);
        bob_ = &world_.add("bob", *second_);
    }

    void go() {
        const auto link = alice_->invite();
        world_.faults = {plan_.latency, plan_.jitter, plan_.cut, plan_.duplicate, plan_.swap};
        for (int i = 0; i < 20 && !bob_->contact("alice"); ++i) {
            ASSERT_FALSE(bob_->join(link, "alice"));
            world_.run([&] { return bob_->contact("alice") || bob_->warned(Exit::network); });
            bob_->forget_notices();
        }
        ASSERT_TRUE(
            world_.run([&] { return bob_->contact("alice") && alice_->contact("bob"); }, 10 * 60'000));

        int said_by_alice = 0;
        int said_by_bob = 0;
        while (said_by_alice < plan_.messages || said_by_bob < plan_.messages) {
            say(*alice_, "bob", said_by_alice);
            say(*bob_, "alice", said_by_bob);
            trouble(*alice_);
            trouble(*bob_);
            server_trouble(*first_);
            world_.run_for(static_cast<std::int64_t>(world_.dice.below(200)));
            back(*alice_);
            back(*bob_);
        }
        const auto quiet = [&] {
            back(*alice_);
            back(*bob_);
            return all_delivered(*alice_, "bob") && all_delivered(*bob_, "alice");
        };
        // The trouble ends, and then everything has to come to its end.
        world_.faults.cut = 0;
        EXPECT_TRUE(world_.run(quiet, 30 * 60'000));
        check(*alice_, "bob", said_by_bob);
        check(*bob_, "alice", said_by_alice);
        EXPECT_TRUE(world_.settle(10 * 60'000));
        EXPECT_EQ(first_->mail_waiting(), 0);
        for (auto* client : {alice_, bob_})
            for (const auto& warning : client->warnings())
                EXPECT_NE(warning.error.exit, Exit::untrusted) << warning.error.sentence;
    }

  private:
    void say(Client& from, const std::string& to, int& said) {
        const auto burst = static_cast<int>(world_.dice.below(5));
        for (int i = 0; i < burst && said < plan_.messages && from.running(); ++i) {
            const auto id = from.try_send(to, from.user + " " + std::to_string(said));
            // A crash while queueing: the message is committed or it isn't, and the person sees which.
            if (!from.running()) {
                if (committed(from, to, from.user + " " + std::to_string(said))) ++said;
                return;
            }
            if (id) ++said;
        }
    }
    static bool committed(Client& from, const std::string& to, const std::string& text) {
        const auto contact = from.contact(to);
        return std::ranges::any_of(
            take(from.store().history(contact->id, "", -1)), [&](const storage::Message& message) {
                return message.direction == storage::Direction::outgoing && message.text == text;
            });
    }
    bool chance(std::uint32_t of_ten_thousand) {
        return of_ten_thousand > 0 && world_.dice.below(10'000) < of_ten_thousand;
    }
    void trouble(Client& client) {
        if (!client.running() || !chance(plan_.client_crash)) return;
        if (world_.dice.below(2) == 0)
            client.crash();
        else
            client.rng().die_at(static_cast<int>(1 + world_.dice.below(40)));
    }
    void server_trouble(SimServer& server) {
        if (!chance(plan_.server_crash)) return;
        world_.kill(server);
        world_.run_for(static_cast<std::int64_t>(world_.dice.below(3000)));
        server.restart();
    }
    static void back(Client& client) {
        if (!client.running()) client.start();
    }
    static bool all_delivered(Client& client, const std::string& to) {
        if (client.store().outbox_size().value() > 0) return false;
        const auto contact = client.contact(to);
        return std::ranges::all_of(take(client.store().history(contact->id, "", -1)),
                                   [](const storage::Message& message) {
                                       return message.direction == storage::Direction::incoming ||
                                              message.state == MessageState::delivered;
                                   });
    }
    void check(Client& client, const std::string& from, int count) const {
        std::vector<std::string> expected;
        expected.reserve(static_cast<std::size_t>(count));
        for (int i = 0; i < count; ++i) expected.push_back(from + " " + std::to_string(i));
        auto heard = client.heard(from);
        // A server that swaps what it pushes can change the order, not what is heard; late ones are marked.
        if (plan_.swap > 0) {
            std::ranges::sort(heard);
            std::ranges::sort(expected);
        }
        EXPECT_EQ(heard, expected);
    }

    Plan plan_;
    World world_;
    SimServer* first_ = nullptr;
    SimServer* second_ = nullptr;
    Client* alice_ = nullptr;
    Client* bob_ = nullptr;
};

void run_seeds(const Plan& plan, std::uint64_t first, std::uint64_t count) {
    const auto seed = chosen_seed(0);
    for (std::uint64_t s = seed != 0 ? seed : first; s < (seed != 0 ? seed + 1 : first + count); ++s) {
        SCOPED_TRACE("SOTTO_SEED=" + std::to_string(s));
        Run run(s, plan);
        run.go();
        if (testing::Test::HasFailure()) {
            std::cout << "the failing run is repeated by SOTTO_SEED=" << s << '\n';
            return;
        }
    }
}

TEST(Simulation, QuietNetwork) {
    run_seeds({}, 100, 3);
}

TEST(Simulation, TwoServers) {
    run_seeds({.two_servers = true}, 200, 3);
}

TEST(Simulation, ConnectionsAreCut) {
    run_seeds({.cut = 300}, 300, 8);
}

TEST(Simulation, TheServerDies) {
    run_seeds({.cut = 50, .server_crash = 800}, 400, 6);
}

TEST(Simulation, ClientsCrash) {
    run_seeds({.client_crash = 2500}, 500, 10);
}

TEST(Simulation, EnvelopesComeTwiceAndOutOfOrder) {
    run_seeds({.cut = 100, .duplicate = 2000, .swap = 2000}, 600, 6);
}

TEST(Simulation, EverythingAtOnce) {
    run_seeds({.cut = 200, .duplicate = 500, .client_crash = 1500, .server_crash = 400, .two_servers = true},
              700, 10);
}

}  // namespace
}  // namespace sotto::client::test
