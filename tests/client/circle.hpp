// Alice, with Bob and Carol for contacts; Bob and Carol don't know each other.
#pragma once

#include "client/pair.hpp"

namespace sotto::client::test {

struct Circle {
    /// Carol lives on a server of her own, or on that of the others.
    explicit Circle(std::uint64_t seed = 1, bool carol_elsewhere = false)
        : pair(seed),
          carol(pair.world.add("carol",
                               carol_elsewhere ? pair.world.add_server("two.example") : pair.server)) {}

    Pair pair;
    World& world = pair.world;
    SimServer& server = pair.server;
    Client& alice = pair.alice;
    Client& bob = pair.bob;
    Client& carol;

    /// Both are contacts of Alice's, know her tokens, and nothing is on its way.
    void befriend() {
        acquaint(alice, bob);
        acquaint(alice, carol);
        ASSERT_TRUE(world.settle());
    }
    /// `two` uses a link of `one`'s and hears "hi".
    void acquaint(Client& one, Client& two) {
        ASSERT_FALSE(two.join(one.invite(), one.user));
        ASSERT_TRUE(
            world.run([&] { return Pair::confirmed(one, two.user) && Pair::confirmed(two, one.user); }));
        ASSERT_TRUE(delivered(one, two.user, one.send(two.user, "hi")));
        ASSERT_TRUE(world.run([&] { return knows(one, two.user) && knows(two, one.user); }));
    }
    /// All are friends, and Alice's server has a newer token of hers than Bob has: his client was away, and
    /// now sends without reading his mailbox.
    void leave_bob_behind() {
        ASSERT_NO_FATAL_FAILURE(befriend());
        bob.stop();
        ASSERT_FALSE(alice.block("carol"));
        ASSERT_TRUE(published(alice));
        world.run_for(2000);
        bob.start_sending();
    }
    /// The contact has our tokens.
    static bool knows(Client& client, const std::string& name) { return client.contact(name)->introduced; }
    bool published(Client& client) {
        return world.run([&] { return client.engine().tokens_published(); });
    }
    bool delivered(Client& client, const std::string& to, const storage::MessageId& id) {
        return pair.delivered(client, to, id);
    }

    /// What a server answers to a stranger who shows this token.
    wire::FailureCode tries(SimServer& at, const std::string& user, ByteView token, std::size_t size = 160);
    wire::FailureCode tries_fetching(SimServer& at, const std::string& user, ByteView token);

  private:
    wire::FailureCode ask(SimServer& at, wire::Request request);
    std::uint8_t asked_ = 0;
};

}  // namespace sotto::client::test
