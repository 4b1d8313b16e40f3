// Tokens replaced while people are apart, and somebody who was blocked: the client's engine with the key
// server's own rules.
#include "attacks.hpp"
#include "client/world.hpp"

namespace sotto::audit {

using client::test::Client;
using client::test::SimServer;
using client::test::World;
using storage::ContactState;
using storage::MessageState;

namespace {

struct Three {
    World world;
    SimServer& server = world.add_server("one.example");
    Client& alice = world.add("alice", server);
    Client& bob = world.add("bob", server);
    Client& carol = world.add("carol", server);
    std::uint8_t asked = 0;

    [[nodiscard]] bool befriend(Client& one, Client& two) {
        if (two.join(one.invite(), one.user)) return false;
        const auto confirmed = [&] {
            const auto theirs = one.contact(two.user);
            return theirs && theirs->state == ContactState::confirmed;
        };
        if (!world.run(confirmed) || !delivered(one, two.user, one.send(two.user, "hi"))) return false;
        return world.run(
            [&] { return one.contact(two.user)->introduced && two.contact(one.user)->introduced; });
    }
    [[nodiscard]] bool delivered(Client& from, const std::string& to, const storage::MessageId& id) {
        return world.run([&] { return from.state_of(to, id) == MessageState::delivered; });
    }
    [[nodiscard]] wire::FailureCode ask(wire::Request request) {
        const auto connection = server.accept(client::Purpose::delivery, {});
        (void)server.take();
        request.set_id(1);
        const auto frame = request.SerializeAsString();
        server.receive(connection, bytes_of(frame));
        wire::Reply reply;
        for (const auto& out : server.take())
            if (out.connection == connection && !out.close)
                (void)reply.ParseFromArray(out.frame.data(), static_cast<int>(out.frame.size()));
        server.disconnect(connection);
        return reply.failure().code();
    }
    /// Every way to `to` that a token opens.
    [[nodiscard]] bool shut(Client& to, ByteView token) {
        const auto device = to.store().identity().value()->device;
        const std::string credential{chars_of(token)};
        wire::Request deliver;
        deliver.mutable_deliver()->set_user(to.user);
        deliver.mutable_deliver()->set_device(device);
        deliver.mutable_deliver()->mutable_credential()->set_token(credential);
        std::string id(16, '\0');
        id[0] = static_cast<char>(++asked);
        deliver.mutable_deliver()->set_envelope_id(id);
        std::string envelope(160, 'x');
        for (const auto type : {crypto::envelope_message, crypto::envelope_handshake}) {
            envelope[0] = static_cast<char>(type);
            deliver.mutable_deliver()->set_envelope(envelope);
            if (ask(deliver) != wire::FAILURE_REFUSED) return false;
        }
        wire::Request prekeys;
        prekeys.mutable_fetch_prekeys()->set_user(to.user);
        prekeys.mutable_fetch_prekeys()->set_device(device);
        prekeys.mutable_fetch_prekeys()->mutable_credential()->set_token(credential);
        wire::Request records;
        records.mutable_fetch_records()->set_user(to.user);
        records.mutable_fetch_records()->mutable_credential()->set_token(credential);
        return ask(prekeys) == wire::FAILURE_REFUSED && ask(records) == wire::FAILURE_REFUSED;
    }
};

}  // namespace

void attack_token_rotation(Check& check) {
    Three three;
    auto& [world, server, alice, bob, carol, asked] = three;
    check.expect(three.befriend(alice, bob) && three.befriend(alice, carol) && three.befriend(bob, carol) &&
                     world.settle(),
                 "three people meet");
    const auto alices = carol.contact("alice").value();
    const auto bobs = carol.contact("bob").value();
    check.expect(!three.shut(alice, *alices.their_shared_token), "Carol can write to Alice");

    // Apart, both block Carol; before and after it they said something to each other, small and large.
    server.kill();
    alice.crash();
    bob.crash();
    alice.start();
    bob.start();
    const std::string large(40'000, 'x');
    const auto from_alice = alice.send("bob", large);
    const auto from_bob = bob.send("alice", large);
    check.expect(!alice.block("carol") && !bob.block("carol"), "both block Carol while apart");
    const auto last_alice = alice.send("bob", "still there?");
    const auto last_bob = bob.send("alice", "still there?");
    server.restart();
    check.expect(three.delivered(alice, "bob", from_alice) && three.delivered(alice, "bob", last_alice) &&
                     three.delivered(bob, "alice", from_bob) && three.delivered(bob, "alice", last_bob),
                 "the two reach each other, both ways");
    const std::vector<std::string> to_alice{large, "still there?"};
    const std::vector<std::string> to_bob{"hi", large, "still there?"};
    check.expect(alice.heard("bob") == to_alice && bob.heard("alice") == to_bob,
                 "each message once, none lost");

    for (const auto& [to, theirs] : {std::pair{&alice, &alices}, std::pair{&bob, &bobs}}) {
        check.expect(three.shut(*to, *theirs->their_shared_token), "Carol's shared token opens nothing");
        check.expect(three.shut(*to, *theirs->their_recovery_token), "nor does her recovery token");
    }
    (void)carol.send("alice", "and I?");
    (void)carol.send("bob", "and I?");
    world.run_for(3LL * 24 * 3600 * 1000);
    check.expect(alice.heard("carol").empty() && bob.heard("carol").empty(),
                 "for days nothing of hers comes");
    // A link of Alice's, meant for somebody else, is in Carol's hands.
    const auto link = alice.invite();
    check.expect(!carol.remove("alice") && !carol.join(link, "alice"), "nor by a link");
    world.run_for(60'000);
    check.expect(
        alice.heard("carol").empty() && alice.contact("carol")->blocked && server.mail_waiting() == 0,
        "what she sends by it is thrown away");
    check.expect(three.delivered(bob, "alice", bob.send("alice", "x")), "the two go on");
}

}  // namespace sotto::audit
