// Messages that a server took and that never arrived: they are sent again in a new session, and no server can
// make more of it than that.
#include "client/pair.hpp"

namespace sotto::client::test {
namespace {

using storage::MessageState;

constexpr std::int64_t a_minute = 60'000;
constexpr std::int64_t an_hour = 60 * a_minute;

class RepairTest : public testing::Test {
  protected:
    RepairTest() { pair.befriend(); }

    /// The server says of Bob's envelopes that they were delivered, and delivers something else. Alice's stay
    /// as they are: she doesn't speak unless a test makes her.
    void garble() {
        pair.server.lie = [this](wire::Reply& reply) {
            if (!reply.has_incoming()) return;
            auto& envelope = *reply.mutable_incoming()->mutable_envelope();
            originals.push_back(envelope);
            envelope.back() = static_cast<char>(envelope.back() ^ 1);
        };
    }
    void be_honest() { pair.server.lie = nullptr; }
    [[nodiscard]] storage::Contact bobs_alice() { return pair.bob.contact("alice").value(); }
    [[nodiscard]] std::size_t bobs_sessions() {
        return pair.bob.store().sessions_of(bobs_alice().id).value().size();
    }

    Pair pair;
    std::vector<std::string> originals;
};

TEST_F(RepairTest, WhatWasDeliveredAndNeverAcknowledgedIsSentAgainInANewSessionAfterAnHour) {
    pair.world.settle();
    const auto before = bobs_sessions();
    garble();
    const auto id = pair.bob.send("alice", "lost");
    pair.world.run_for(a_minute);
    be_honest();
    EXPECT_EQ(pair.bob.state_of("alice", id), MessageState::stored);
    pair.world.run_for(58 * a_minute);
    EXPECT_EQ(bobs_sessions(), before);
    EXPECT_TRUE(pair.alice.heard("bob").empty());
    pair.world.run_for(4 * a_minute);
    EXPECT_EQ(pair.bob.state_of("alice", id), MessageState::delivered);
    EXPECT_EQ(pair.alice.heard("bob"), std::vector<std::string>{"lost"});
    EXPECT_EQ(bobs_sessions(), before + 1);
}

TEST_F(RepairTest, AHundredUndecryptableMessagesCauseOneReset) {
    pair.world.settle();
    const auto before = bobs_sessions();
    garble();
    std::vector<std::string> texts;
    for (int i = 0; i < 100; ++i) {
        texts.push_back("number " + std::to_string(i));
        pair.bob.send("alice", texts.back());
    }
    pair.world.run_for(a_minute);
    be_honest();
    EXPECT_TRUE(pair.alice.heard("bob").empty());
    pair.world.run_for(3 * an_hour);
    EXPECT_EQ(pair.alice.heard("bob"), texts);
    EXPECT_EQ(bobs_sessions(), before + 1);
    EXPECT_EQ(bobs_alice().resets, 0U);  // something of hers came: the next one has its whole patience again
}

TEST_F(RepairTest, AServerThatLiesForADayProvokesFiveHandshakesAndNoMore) {
    pair.world.settle();
    garble();
    const auto id = pair.bob.send("alice", "never");
    pair.world.run_for(24 * an_hour);
    // After 1, 3, 7 and 15 hours: the wait doubles while nothing comes of it.
    EXPECT_EQ(bobs_alice().resets, 4U);
    EXPECT_LE(bobs_sessions(), 5U);
    EXPECT_TRUE(pair.alice.heard("bob").empty());
    be_honest();
    EXPECT_TRUE(pair.world.run([&] { return !pair.alice.heard("bob").empty(); }, 24 * an_hour));
    EXPECT_TRUE(pair.delivered(pair.bob, "alice", id));
    EXPECT_EQ(pair.alice.heard("bob"), std::vector<std::string>{"never"});
}

TEST_F(RepairTest, WhatOnlyWaitsAtTheServerIsLeftWaiting) {
    pair.world.settle();
    const auto before = bobs_sessions();
    pair.alice.stop();
    const auto id = pair.bob.send("alice", "take your time");
    pair.world.run_for(3 * a_day);
    EXPECT_EQ(pair.bob.state_of("alice", id), MessageState::stored);
    EXPECT_EQ(bobs_sessions(), before);
    EXPECT_EQ(bobs_alice().resets, 0U);
    pair.alice.start();
    EXPECT_TRUE(pair.delivered(pair.bob, "alice", id));
    EXPECT_EQ(bobs_sessions(), before);
}

TEST_F(RepairTest, WhoHasSpokenSinceMustHaveHadIt) {
    pair.world.settle();
    const auto before = bobs_sessions();
    pair.alice.stop();
    pair.world.run_for(3 * an_hour);
    const auto id = pair.bob.send("alice", "stored, then lost");
    pair.world.run_for(a_minute);
    garble();
    pair.alice.start();
    pair.world.run_for(a_minute);
    be_honest();
    pair.alice.send("bob", "anybody there?");
    ASSERT_TRUE(pair.world.run([&] { return !pair.bob.heard("alice").empty(); }));
    EXPECT_TRUE(pair.alice.heard("bob").empty());
    pair.world.run_for(58 * a_minute);
    EXPECT_TRUE(pair.alice.heard("bob").empty());
    pair.world.run_for(5 * a_minute);
    EXPECT_EQ(pair.alice.heard("bob"), std::vector<std::string>{"stored, then lost"});
    EXPECT_TRUE(pair.delivered(pair.bob, "alice", id));
    EXPECT_EQ(bobs_sessions(), before + 1);
}

TEST_F(RepairTest, WhatWasSetAsideOpensAfterTheNextHandshakeAndIsShownOnce) {
    pair.world.settle();
    garble();
    pair.bob.send("alice", "set aside");
    pair.world.run_for(a_minute);
    be_honest();
    ASSERT_EQ(originals.size(), 1U);
    // The real one is in quarantine too, as if it had come when it couldn't be opened.
    const storage::EnvelopeId id{std::byte{9}};
    ASSERT_TRUE(pair.alice.store().quarantine(id, bytes_of(originals.front()), pair.world.clock.wall()));
    ASSERT_TRUE(pair.world.run([&] { return !pair.alice.heard("bob").empty(); }, 2 * an_hour));
    pair.world.run_for(a_minute);
    EXPECT_EQ(pair.alice.heard("bob"), std::vector<std::string>{"set aside"});
    EXPECT_FALSE(pair.alice.store().quarantined_envelope(id).value());
    EXPECT_TRUE(pair.alice.store().envelope_seen(id).value());
    // The garbled one will never open: it stays until its week is over.
    EXPECT_EQ(pair.alice.store().quarantined()->size(), 1U);
    pair.world.run_for(8 * a_day);
    EXPECT_TRUE(pair.alice.store().quarantined()->empty());
}

TEST_F(RepairTest, AResetSurvivesACrashAtAnyPoint) {
    for (int draw = 1; draw <= 12; ++draw) {
        Pair other{static_cast<std::uint64_t>(draw) + 50};
        other.befriend();
        other.world.settle();
        other.server.lie = [](wire::Reply& reply) {
            if (!reply.has_incoming()) return;
            auto& envelope = *reply.mutable_incoming()->mutable_envelope();
            envelope.back() = static_cast<char>(envelope.back() ^ 1);
        };
        const auto id = other.bob.send("alice", "through a crash");
        other.world.run_for(59 * a_minute);
        other.server.lie = nullptr;
        other.bob.rng().die_at(draw);
        other.world.run_for(5 * a_minute);
        other.bob.rng().die_at(0);
        if (!other.bob.running()) other.bob.start();
        EXPECT_TRUE(other.world.run(
            [&] { return other.bob.state_of("alice", id) == MessageState::delivered; }, 3 * an_hour))
            << "draw " << draw;
        EXPECT_EQ(other.alice.heard("bob"), std::vector<std::string>{"through a crash"}) << "draw " << draw;
    }
}

}  // namespace
}  // namespace sotto::client::test
