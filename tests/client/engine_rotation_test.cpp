// Shared tokens that were replaced while the other was away: the recovery token brings both together again.
#include <set>

#include "client/circle.hpp"

namespace sotto::client::test {
namespace {

using storage::MessageState;
using Words = std::vector<std::string>;

/// Once it is sealed, and before the server has it.
std::size_t envelope_size(World& world, Client& client, const std::string& to, const storage::MessageId& id) {
    std::size_t size = 0;
    const auto sealed = [&] {
        const auto item = client.store().outbox_item(client.contact(to)->id, id).value();
        size = item ? item->envelope.size() : 0;
        return size > 0;
    };
    EXPECT_TRUE(world.run(sealed, 5000));
    return size;
}

/// Envelopes that came by a recovery token, over all accounts of a server.
std::int64_t recovered(SimServer& server) {
    auto statement = server.database().prepare("SELECT coalesce(sum(uses), 0) FROM tokens WHERE kind = 2");
    const auto row = statement.step();
    return row && *row ? statement.integer(0) : -1;
}

/// Alice and Bob are contacts of each other's and both of Carol's.
struct Triangle : Circle {
    using Circle::Circle;
    void befriend_all() {
        ASSERT_NO_FATAL_FAILURE(befriend());
        acquaint(bob, carol);
        ASSERT_TRUE(world.settle());
    }
    /// Neither hears of the other's rotation before both have blocked Carol.
    void rotate_apart() {
        world.kill(server);
        world.run_for(100);
        ASSERT_FALSE(alice.block("carol"));
        ASSERT_FALSE(bob.block("carol"));
    }
    bool found_each_other() {
        return world.run([&] { return knows(alice, "bob") && knows(bob, "alice"); });
    }
};

TEST(Rotation, TwoApartFindEachOtherAndTheBlockedOneNobody) {
    for (std::uint64_t seed = 1; seed <= 4; ++seed) {
        SCOPED_TRACE(seed);
        Triangle three{seed, seed > 2};
        ASSERT_NO_FATAL_FAILURE(three.befriend_all());
        three.world.faults.jitter = 40;
        ASSERT_NO_FATAL_FAILURE(three.rotate_apart());
        std::vector<storage::MessageId> to_bob;
        std::vector<storage::MessageId> to_alice;
        Words said;
        for (int i = 0; i < 8; ++i) {
            said.push_back("word " + std::to_string(i));
            to_bob.push_back(three.alice.send("bob", said.back()));
            to_alice.push_back(three.bob.send("alice", said.back()));
        }
        three.server.restart();
        ASSERT_TRUE(three.found_each_other());
        for (const auto& id : to_bob) EXPECT_TRUE(three.delivered(three.alice, "bob", id));
        for (const auto& id : to_alice) EXPECT_TRUE(three.delivered(three.bob, "alice", id));
        EXPECT_EQ(three.alice.heard("bob"), said);
        said.insert(said.begin(), "hi");
        EXPECT_EQ(three.bob.heard("alice"), said);
        static_cast<void>(three.carol.send("alice", "and I?"));
        static_cast<void>(three.carol.send("bob", "and I?"));
        three.world.run_for(30LL * 3600 * 1000);
        EXPECT_EQ(three.alice.heard("carol"), Words{});
        EXPECT_EQ(three.bob.heard("carol"), Words{});
    }
}

TEST(Rotation, OfTwoWhoCanReachNobodyByTheirTokensTheSmallContentGoesFirst) {
    Triangle three;
    ASSERT_NO_FATAL_FAILURE(three.befriend_all());
    three.world.kill(three.server);
    three.world.run_for(100);
    // Said before the rotation: ahead of the new tokens in the outbox, without them, and too large.
    const std::string large(60'000, 'x');
    const auto from_alice = three.alice.send("bob", large);
    const auto from_bob = three.bob.send("alice", large);
    const auto small = three.bob.send("alice", "small");
    ASSERT_FALSE(three.alice.block("carol"));
    ASSERT_FALSE(three.bob.block("carol"));
    three.server.restart();
    ASSERT_TRUE(three.found_each_other());
    EXPECT_TRUE(three.delivered(three.alice, "bob", from_alice));
    EXPECT_TRUE(three.delivered(three.bob, "alice", from_bob));
    EXPECT_TRUE(three.delivered(three.bob, "alice", small));
    EXPECT_EQ(three.bob.heard("alice"), (Words{"hi", large}));
    EXPECT_EQ(three.alice.heard("bob"), (Words{large, "small"}));
    EXPECT_LE(recovered(three.server), 2) << "one each is enough";
}

TEST(Rotation, TwoApartWithoutASessionFindEachOtherByAHandshakeThatFits) {
    Triangle three;
    ASSERT_NO_FATAL_FAILURE(three.befriend_all());
    ASSERT_NO_FATAL_FAILURE(three.rotate_apart());
    for (auto* client : {&three.alice, &three.bob}) {
        client->crash();
        const auto* const other = client == &three.alice ? "bob" : "alice";
        for (const auto& row : take(client->opened().sessions_of(client->contact(other)->id)))
            ASSERT_TRUE(client->store().delete_session(row.session.id()));
        client->start();
    }
    const auto to_bob = three.alice.send("bob", std::string(20'000, 'a'));
    const auto to_alice = three.bob.send("alice", std::string(20'000, 'b'));
    three.server.restart();
    ASSERT_TRUE(three.found_each_other());
    EXPECT_TRUE(three.delivered(three.alice, "bob", to_bob));
    EXPECT_TRUE(three.delivered(three.bob, "alice", to_alice));
}

TEST(Rotation, AClientThatOnlySendsGetsFourSmallOnesThroughADayAndTheFifthTheNext) {
    Circle circle;
    ASSERT_NO_FATAL_FAILURE(circle.befriend());
    circle.world.clock.now += a_day - circle.world.clock.now % a_day + 3'600'000;  // early in a day
    circle.world.run_for(5000);
    circle.bob.stop();
    ASSERT_FALSE(circle.alice.block("carol"));
    ASSERT_TRUE(circle.published(circle.alice));
    circle.world.run_for(2000);
    circle.bob.start_sending();
    std::vector<storage::MessageId> sent;
    for (int i = 0; i < 5; ++i) sent.push_back(circle.bob.send("alice", std::to_string(i)));
    ASSERT_TRUE(circle.world.run([&] { return circle.bob.warned(Exit::rate); }));
    circle.world.run_for(6LL * 3600 * 1000);
    for (int i = 0; i < 4; ++i)
        EXPECT_EQ(circle.bob.state_of("alice", sent[static_cast<std::size_t>(i)]), MessageState::stored);
    EXPECT_EQ(circle.bob.state_of("alice", sent[4]), MessageState::sent);
    EXPECT_TRUE(circle.world.run(
        [&] { return circle.bob.state_of("alice", sent[4]) == MessageState::stored; }, a_day));
    EXPECT_TRUE(circle.world.run([&] { return circle.alice.heard("bob").size() == 5; }));
    EXPECT_EQ(circle.alice.heard("bob"), (Words{"0", "1", "2", "3", "4"}));
}

TEST(Rotation, AnEnvelopeOf4096BytesGoesByTheRecoveryTokenAndOneOfAByteMoreWaits) {
    Circle circle;
    ASSERT_NO_FATAL_FAILURE(circle.leave_bob_behind());
    const auto is_stored = [&](const storage::MessageId& id) {
        return circle.world.run([&] { return circle.bob.state_of("alice", id) == MessageState::stored; },
                                10'000);
    };
    // An epoch's frame rides on messages 1, 2, 4, 8 … of a chain: two without one are the 5th and 6th, or
    // there is none under way.
    constexpr std::size_t probe = 500;
    std::size_t around = 0;
    std::size_t frame = 0;
    for (int without = 0; without < 2;) {
        const auto id = circle.bob.send("alice", std::string(probe, 'p'));
        const auto size = envelope_size(circle.world, circle.bob, "alice", id);
        const auto item = circle.bob.store().outbox_item(circle.bob.contact("alice")->id, id).value();
        around = item->content.size() - probe + 5 + 134;
        without = size == crypto::padded_size(around + probe) ? without + 1 : 0;
        for (const std::size_t more : {1194U, 1114U})
            if (size == crypto::padded_size(around + probe + more)) frame = more;
        ASSERT_TRUE(is_stored(id));
        circle.world.run_for(a_day);  // four a day
    }

    // Sealed for the shared token, which each new start tries first.
    const auto start_anew = [&] {
        circle.bob.stop();
        circle.bob.start_sending();
    };
    start_anew();
    const auto fits = circle.bob.send("alice", std::string(4096 - around, 'f'));
    ASSERT_EQ(envelope_size(circle.world, circle.bob, "alice", fits), 4096U);
    EXPECT_TRUE(is_stored(fits));
    start_anew();
    const auto waits = circle.bob.send("alice", std::string(4097 - around - frame, 'w'));
    ASSERT_TRUE(circle.world.run([&] { return circle.bob.warned(Exit::network); }, 10'000));
    ASSERT_EQ(envelope_size(circle.world, circle.bob, "alice", waits), crypto::padded_size(4097));
    circle.world.run_for(6LL * 3600 * 1000);
    EXPECT_EQ(circle.bob.state_of("alice", waits), MessageState::sent);
    // The tokens wait in Bob's mailbox.
    circle.bob.stop();
    circle.bob.start();
    EXPECT_TRUE(circle.delivered(circle.bob, "alice", waits));
}

TEST(Rotation, RefusalsDoNotUseUpTheDaysEnvelopes) {
    Circle circle;
    ASSERT_NO_FATAL_FAILURE(circle.leave_bob_behind());
    static_cast<void>(circle.bob.send("alice", std::string(50'000, 'x')));
    circle.world.run_for(20LL * 3600 * 1000);
    for (int i = 0; i < 5; ++i) {
        circle.bob.stop();
        circle.bob.start_sending();
        circle.world.run_for(2LL * 3600 * 1000);
    }
    EXPECT_LE(recovered(circle.server), 1);
}

TEST(Rotation, OldTokensThatComeLateDoNotReplaceNewOnes) {
    Circle circle;
    ASSERT_NO_FATAL_FAILURE(circle.befriend());
    std::size_t held = 0;
    circle.server.lie = [&](wire::Reply& reply) {
        if (!reply.has_incoming() || held > 0) return;
        ++held;
        reply.Clear();
        reply.mutable_prekeys_low()->set_one_time_left(100);
        reply.mutable_prekeys_low()->set_one_time_kem_left(100);
    };
    ASSERT_FALSE(circle.alice.block("carol"));
    ASSERT_TRUE(circle.world.run([&] { return held == 1; }));
    ASSERT_FALSE(circle.alice.remove("carol"));
    ASSERT_TRUE(circle.world.run([&] { return Circle::knows(circle.alice, "bob"); }));
    const auto newest = circle.bob.contact("alice")->their_shared_token;
    circle.server.lie = nullptr;
    circle.bob.stop();
    circle.bob.start();
    ASSERT_TRUE(circle.world.run([&] { return circle.server.mail_waiting() == 0; }));
    ASSERT_TRUE(circle.world.settle());
    EXPECT_EQ(circle.bob.contact("alice")->their_shared_token, newest);
    EXPECT_TRUE(circle.delivered(circle.bob, "alice", circle.bob.send("alice", "hello")));
}

TEST(Rotation, TwoInARowWhileApartLeaveOneContentToBeSent) {
    Circle circle;
    ASSERT_NO_FATAL_FAILURE(circle.befriend());
    circle.world.kill(circle.server);
    circle.world.run_for(100);
    ASSERT_FALSE(circle.alice.block("carol"));
    ASSERT_FALSE(circle.alice.remove("carol"));
    EXPECT_EQ(take(circle.alice.store().outbox_of(circle.alice.contact("bob")->id)).size(), 1U);
    circle.server.restart();
    EXPECT_TRUE(circle.world.run([&] { return Circle::knows(circle.alice, "bob"); }));
}

TEST(Rotation, ARestoredCopyAndTheServerAgreeOnTheTokensThatTheOthersAreTold) {
    Circle circle;
    ASSERT_NO_FATAL_FAILURE(circle.befriend());
    circle.alice.stop();
    circle.alice.keep_copy();
    circle.alice.start();
    ASSERT_FALSE(circle.alice.block("carol"));
    ASSERT_TRUE(circle.world.run([&] { return Circle::knows(circle.alice, "bob"); }));
    ASSERT_TRUE(circle.delivered(circle.alice, "bob", circle.alice.send("bob", "after the copy")));
    circle.world.run_for(5 * 60'000);
    circle.alice.stop();
    circle.alice.put_back();
    circle.alice.start();
    ASSERT_TRUE(circle.world.run([&] { return !circle.alice.warnings().empty(); }));
    // The copy knows nothing of the block: what it tells Bob has to be what the server takes.
    ASSERT_TRUE(circle.published(circle.alice));
    ASSERT_TRUE(circle.world.run([&] { return Circle::knows(circle.alice, "bob"); }, 300'000));
    const auto token = circle.bob.contact("alice")->their_shared_token.value();
    EXPECT_EQ(circle.tries(circle.server, "alice", token), wire::FAILURE_UNSPECIFIED);
    EXPECT_TRUE(circle.delivered(circle.bob, "alice", circle.bob.send("alice", std::string(10'000, 'x'))));
}

}  // namespace
}  // namespace sotto::client::test
