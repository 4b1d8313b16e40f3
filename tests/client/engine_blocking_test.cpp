// Who is blocked or removed gets nothing through any more, whatever they hold; everybody else does.
#include "client/circle.hpp"

namespace sotto::client::test {
namespace {

using storage::MessageState;
using Words = std::vector<std::string>;

Array<32> shared_token(Client& client) {
    Array<32> out;
    std::ranges::copy(client.store().identity().value()->shared_token.expose(), out.begin());
    return out;
}

/// Neither of the tokens that this contact was given opens anything at the server.
void expect_shut_out(Circle& circle, const storage::Contact& theirs) {
    for (const auto& token : {theirs.their_shared_token.value(), theirs.their_recovery_token.value()}) {
        EXPECT_EQ(circle.tries(circle.server, "alice", token), wire::FAILURE_REFUSED);
        EXPECT_EQ(circle.tries_fetching(circle.server, "alice", token), wire::FAILURE_REFUSED);
    }
}

TEST(Blocking, NeitherTokenOfTheBlockedOneOpensAnythingAtTheServer) {
    Circle circle;
    ASSERT_NO_FATAL_FAILURE(circle.befriend());
    const auto theirs = circle.carol.contact("alice").value();
    EXPECT_EQ(circle.tries(circle.server, "alice", *theirs.their_shared_token), wire::FAILURE_UNSPECIFIED);
    ASSERT_FALSE(circle.alice.block("carol"));
    EXPECT_TRUE(circle.alice.engine().rotation_untold());
    ASSERT_TRUE(circle.published(circle.alice));
    EXPECT_FALSE(circle.alice.engine().rotation_untold());
    EXPECT_TRUE(circle.alice.contact("carol")->blocked);
    EXPECT_NE(shared_token(circle.alice), theirs.their_shared_token);
    expect_shut_out(circle, theirs);
}

TEST(Blocking, TheirMessagesAreRefusedAndNotShown) {
    Circle circle;
    ASSERT_NO_FATAL_FAILURE(circle.befriend());
    ASSERT_FALSE(circle.alice.block("carol"));
    ASSERT_TRUE(circle.published(circle.alice));
    const auto id = circle.carol.send("alice", "let me in");
    ASSERT_TRUE(circle.world.run([&] { return circle.carol.warned(Exit::network); }));
    circle.world.run_for(12LL * 3600 * 1000);
    EXPECT_EQ(circle.carol.state_of("alice", id), MessageState::sent);
    EXPECT_EQ(circle.alice.heard("carol"), Words{});
    EXPECT_EQ(circle.server.mail_waiting(), 0);
}

TEST(Blocking, TheOthersLearnTheNewTokenAtOnceAndGoOn) {
    Circle circle;
    ASSERT_NO_FATAL_FAILURE(circle.befriend());
    ASSERT_FALSE(circle.alice.block("carol"));
    EXPECT_FALSE(Circle::knows(circle.alice, "bob"));
    ASSERT_TRUE(circle.world.run([&] { return Circle::knows(circle.alice, "bob"); }, 5000));
    EXPECT_EQ(circle.bob.contact("alice")->their_shared_token, shared_token(circle.alice));
    EXPECT_TRUE(circle.delivered(circle.bob, "alice", circle.bob.send("alice", "still here")));
    EXPECT_TRUE(circle.delivered(circle.alice, "bob", circle.alice.send("bob", "good")));
    EXPECT_TRUE(circle.bob.warnings().empty());
    EXPECT_TRUE(circle.alice.warnings().empty());
}

TEST(Blocking, AnEnvelopeFromBeforeIsNoProofThatTheNewTokenIsKnown) {
    Circle circle;
    ASSERT_NO_FATAL_FAILURE(circle.leave_bob_behind());
    const auto id = circle.bob.send("alice", "from before");
    ASSERT_TRUE(circle.world.run([&] { return circle.alice.heard("bob").size() == 1; }));
    EXPECT_FALSE(Circle::knows(circle.alice, "bob"));
    circle.bob.stop();
    circle.bob.start();
    EXPECT_TRUE(circle.delivered(circle.bob, "alice", id));
    EXPECT_TRUE(circle.world.run([&] { return Circle::knows(circle.alice, "bob"); }));
}

TEST(Blocking, WhatIsInTheMailboxAlreadyIsNotShownAndNeverAcknowledged) {
    Circle circle;
    ASSERT_NO_FATAL_FAILURE(circle.befriend());
    circle.alice.stop();
    const auto id = circle.carol.send("alice", "too late");
    ASSERT_TRUE(circle.world.run([&] { return circle.server.mail_waiting() == 1; }));
    circle.alice.start();
    ASSERT_FALSE(circle.alice.block("carol"));
    ASSERT_TRUE(circle.world.run([&] { return circle.server.mail_waiting() == 0; }));
    ASSERT_TRUE(circle.world.settle());
    circle.world.run_for(60'000);
    EXPECT_EQ(circle.alice.heard("carol"), Words{});
    EXPECT_EQ(circle.carol.state_of("alice", id), MessageState::stored);
    EXPECT_TRUE(circle.alice.notices<MessageArrived>().empty());
}

TEST(Blocking, WhatCameButWasNotReadYetIsNotShownEither) {
    Circle circle;
    ASSERT_NO_FATAL_FAILURE(circle.befriend());
    ASSERT_TRUE(circle.delivered(circle.carol, "alice", circle.carol.send("alice", "unread")));
    ASSERT_TRUE(circle.delivered(circle.bob, "alice", circle.bob.send("alice", "unread too")));
    ASSERT_FALSE(circle.alice.block("carol"));
    const auto unshown = take(circle.alice.store().unshown(-1));
    ASSERT_EQ(unshown.size(), 1U);
    EXPECT_EQ(unshown.front().text, "unread too");
    EXPECT_EQ(circle.alice.heard("carol"), Words{"unread"}) << "the history keeps it";
}

TEST(Blocking, AnOwedAcknowledgementIsSentOnlyAfterAnUnblock) {
    Circle circle;
    ASSERT_NO_FATAL_FAILURE(circle.befriend());
    circle.alice.stop();
    circle.world.config.acknowledge_after = 30'000;
    circle.alice.start();
    const auto id = circle.carol.send("alice", "received");
    ASSERT_TRUE(circle.world.run([&] { return circle.alice.heard("carol").size() == 1; }));
    ASSERT_FALSE(circle.alice.block("carol"));
    circle.world.run_for(120'000);
    EXPECT_NE(circle.carol.state_of("alice", id), MessageState::delivered);
    ASSERT_FALSE(circle.alice.unblock("carol"));
    EXPECT_TRUE(circle.delivered(circle.carol, "alice", id));
}

TEST(Blocking, WhatWaitsForThemIsDroppedAndNothingIsSent) {
    Circle circle;
    ASSERT_NO_FATAL_FAILURE(circle.befriend());
    ASSERT_TRUE(circle.delivered(circle.alice, "carol", circle.alice.send("carol", "before")));
    circle.world.kill(circle.server);
    circle.world.run_for(100);
    const auto waiting = circle.alice.send("carol", "not any more");
    ASSERT_FALSE(circle.alice.block("carol"));
    EXPECT_EQ(circle.alice.state_of("carol", waiting), MessageState::failed);
    const auto refused = circle.alice.try_send("carol", "hello");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().exit, Exit::input);
    circle.server.restart();
    ASSERT_TRUE(circle.published(circle.alice));
    ASSERT_TRUE(circle.world.settle());
    ASSERT_FALSE(circle.alice.unblock("carol"));
    const auto after = circle.alice.send("carol", "after");
    EXPECT_TRUE(circle.delivered(circle.alice, "carol", after));
    EXPECT_EQ(circle.carol.heard("alice"), (Words{"hi", "before", "after"}));
}

TEST(Blocking, WhileTheServerIsAwayItHoldsAtOnceAndTheServerHearsOfItAtTheNextLogIn) {
    Circle circle;
    ASSERT_NO_FATAL_FAILURE(circle.befriend());
    const auto theirs = circle.carol.contact("alice").value();
    circle.world.kill(circle.server);
    circle.world.run_for(100);
    ASSERT_FALSE(circle.alice.block("carol"));
    circle.alice.crash();
    circle.server.restart();
    const auto id = circle.carol.send("alice", "in between");
    ASSERT_TRUE(circle.world.run([&] { return circle.server.mail_waiting() == 1; }));
    circle.alice.start();
    EXPECT_TRUE(circle.alice.engine().rotation_untold());
    ASSERT_TRUE(circle.published(circle.alice));
    EXPECT_FALSE(circle.alice.engine().rotation_untold());
    ASSERT_TRUE(circle.world.run([&] { return circle.server.mail_waiting() == 0; }));
    expect_shut_out(circle, theirs);
    EXPECT_EQ(circle.alice.heard("carol"), Words{});
    EXPECT_NE(circle.carol.state_of("alice", id), MessageState::delivered);
    EXPECT_TRUE(circle.delivered(circle.bob, "alice", circle.bob.send("alice", "hello")));
}

TEST(Blocking, ALinkOfOursOpensNoDoorToThem) {
    Circle circle;
    ASSERT_NO_FATAL_FAILURE(circle.befriend());
    const auto link = circle.alice.invite();
    ASSERT_FALSE(circle.alice.block("carol"));
    ASSERT_TRUE(circle.published(circle.alice));
    ASSERT_FALSE(circle.carol.remove("alice"));
    ASSERT_FALSE(circle.carol.join(link, "alice"));
    ASSERT_TRUE(circle.world.run([&] { return circle.carol.contact("alice").has_value(); }));
    const auto id = circle.carol.send("alice", "by another door");
    circle.world.run_for(60'000);
    EXPECT_EQ(circle.alice.heard("carol"), Words{});
    EXPECT_EQ(circle.server.mail_waiting(), 0);
    EXPECT_TRUE(circle.alice.contact("carol")->blocked);
    EXPECT_EQ(take(circle.alice.store().contacts()).size(), 2U);
    EXPECT_NE(circle.carol.state_of("alice", id), MessageState::delivered);
    EXPECT_EQ(circle.carol.contact("alice")->state, storage::ContactState::joining);
    EXPECT_TRUE(circle.alice.warnings().empty()) << "and nobody is bothered with it";
}

TEST(Blocking, UnblockingLetsBothTalkAgain) {
    Circle circle;
    ASSERT_NO_FATAL_FAILURE(circle.befriend());
    const auto before = circle.carol.contact("alice").value();
    ASSERT_FALSE(circle.alice.block("carol"));
    ASSERT_TRUE(circle.published(circle.alice));
    const auto waiting = circle.carol.send("alice", "waits at Carol's");
    ASSERT_TRUE(circle.world.run([&] { return circle.carol.warned(Exit::network); }));
    ASSERT_FALSE(circle.alice.unblock("carol"));
    EXPECT_TRUE(circle.delivered(circle.alice, "carol", circle.alice.send("carol", "hello again")));
    EXPECT_TRUE(circle.delivered(circle.carol, "alice", waiting));
    EXPECT_EQ(circle.alice.heard("carol"), Words{"waits at Carol's"});
    const auto after = circle.carol.contact("alice").value();
    EXPECT_NE(after.their_recovery_token, before.their_recovery_token);
    EXPECT_EQ(after.their_shared_token, shared_token(circle.alice));
    EXPECT_EQ(circle.tries(circle.server, "alice", *before.their_recovery_token), wire::FAILURE_REFUSED);
}

TEST(Blocking, ASecondTimeChangesNothing) {
    Circle circle;
    ASSERT_NO_FATAL_FAILURE(circle.befriend());
    ASSERT_FALSE(circle.alice.block("carol"));
    const auto token = shared_token(circle.alice);
    ASSERT_FALSE(circle.alice.block("carol"));
    EXPECT_EQ(shared_token(circle.alice), token);
    const auto recovery = circle.alice.contact("bob")->our_recovery_token;
    ASSERT_FALSE(circle.alice.unblock("bob"));
    EXPECT_EQ(circle.alice.contact("bob")->our_recovery_token, recovery);
}

TEST(Blocking, NobodysContactCanNotBeBlocked) {
    const Circle circle;
    for (const auto decision : {&Engine::block, &Engine::unblock, &Engine::remove}) {
        const auto outcome = (circle.alice.engine().*decision)(77, circle.world.clock.now);
        ASSERT_FALSE(outcome);
        EXPECT_EQ(outcome.error().exit, Exit::input);
    }
}

TEST(Blocking, WhoIsRemovedCanNotDeliverAnyMore) {
    Circle circle;
    ASSERT_NO_FATAL_FAILURE(circle.befriend());
    const auto theirs = circle.carol.contact("alice").value();
    circle.alice.stop();
    static_cast<void>(circle.carol.send("alice", "in the mailbox"));
    ASSERT_TRUE(circle.world.run([&] { return circle.server.mail_waiting() == 1; }));
    circle.alice.start();
    ASSERT_FALSE(circle.alice.remove("carol"));
    ASSERT_TRUE(circle.published(circle.alice));
    ASSERT_TRUE(circle.world.run([&] { return circle.server.mail_waiting() == 0; }));
    expect_shut_out(circle, theirs);
    EXPECT_FALSE(circle.alice.contact("carol"));
    EXPECT_TRUE(circle.alice.notices<MessageArrived>().empty());
    EXPECT_TRUE(circle.world.run([&] { return Circle::knows(circle.alice, "bob"); }));
    EXPECT_TRUE(circle.delivered(circle.bob, "alice", circle.bob.send("alice", "hello")));
    // Only another link brings them back.
    ASSERT_FALSE(circle.carol.remove("alice"));
    circle.acquaint(circle.alice, circle.carol);
    EXPECT_TRUE(circle.delivered(circle.carol, "alice", circle.carol.send("alice", "may I?")));
}

TEST(Blocking, WorksAgainstSomebodyAtAnotherServer) {
    Circle circle{1, true};
    ASSERT_NO_FATAL_FAILURE(circle.befriend());
    const auto theirs = circle.carol.contact("alice").value();
    ASSERT_FALSE(circle.alice.block("carol"));
    ASSERT_TRUE(circle.published(circle.alice));
    expect_shut_out(circle, theirs);
    static_cast<void>(circle.carol.send("alice", "from afar"));
    circle.world.run_for(60'000);
    EXPECT_EQ(circle.alice.heard("carol"), Words{});
    ASSERT_FALSE(circle.alice.unblock("carol"));
    EXPECT_TRUE(circle.delivered(circle.alice, "carol", circle.alice.send("carol", "come back")));
    EXPECT_EQ(circle.alice.heard("carol"), Words{"from afar"});
}

TEST(Blocking, ACrashAtAnyDrawLeavesTheOldStateOrTheNewOne) {
    int old_states = 0;
    int new_states = 0;
    bool died = true;
    for (int draw = 1; died && draw < 40; ++draw) {
        SCOPED_TRACE(draw);
        Circle circle{static_cast<std::uint64_t>(draw)};
        ASSERT_NO_FATAL_FAILURE(circle.befriend());
        const auto theirs = circle.carol.contact("alice").value();
        circle.alice.rng().die_at(draw);
        static_cast<void>(circle.alice.block("carol"));
        died = !circle.alice.running();
        circle.alice.rng().die_at(0);
        if (died) circle.alice.start();
        const bool blocked = circle.alice.contact("carol")->blocked;
        (blocked ? new_states : old_states) += 1;
        EXPECT_EQ(shared_token(circle.alice) != theirs.their_shared_token, blocked);
        EXPECT_EQ(Circle::knows(circle.alice, "bob"), !blocked);
        EXPECT_EQ(circle.alice.engine().rotation_untold(), blocked);
        ASSERT_TRUE(circle.published(circle.alice));
        if (blocked) {
            expect_shut_out(circle, theirs);
        } else {
            EXPECT_TRUE(circle.delivered(circle.carol, "alice", circle.carol.send("alice", "hello")));
        }
        EXPECT_TRUE(circle.delivered(circle.bob, "alice", circle.bob.send("alice", "hello")));
        EXPECT_EQ(circle.alice.heard("bob"), Words{"hello"});
    }
    EXPECT_FALSE(died) << "the loop reached no block that lives";
    EXPECT_GT(old_states, 1);
    EXPECT_GE(new_states, 1);
}

}  // namespace
}  // namespace sotto::client::test
