// Two people on one server, or on two.
#pragma once

#include "client/world.hpp"

namespace sotto::client::test {

struct Pair {
    explicit Pair(std::uint64_t seed = 1) : world(seed) {}

    World world;
    SimServer& server = world.add_server("one.example");
    Client& alice = world.add("alice", server);
    Client& bob = world.add("bob", server);

    /// Bob uses a link of Alice's; until both are confirmed.
    void befriend() {
        ASSERT_FALSE(bob.join(alice.invite(), "alice"));
        ASSERT_TRUE(world.run([&] { return confirmed(alice, "bob") && confirmed(bob, "alice"); }));
    }
    static bool confirmed(Client& client, const std::string& name) {
        const auto contact = client.contact(name);
        return contact && contact->state == storage::ContactState::confirmed;
    }
    bool delivered(Client& client, const std::string& to, const storage::MessageId& id) {
        return world.run([&] { return client.state_of(to, id) == storage::MessageState::delivered; });
    }
};

}  // namespace sotto::client::test
