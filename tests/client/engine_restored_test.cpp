// A store that was put back from an older copy: noticed at the next log-in, and both sides find together
// again.
#include "client/pair.hpp"
#include "sotto/protocol/limits.hpp"

namespace sotto::client::test {
namespace {

using storage::MessageState;

constexpr std::int64_t a_minute = 60'000;
constexpr std::int64_t an_hour = 60 * a_minute;

class RestoredTest : public testing::Test {
  protected:
    RestoredTest() { pair.befriend(); }

    void copy_alice() {
        pair.world.settle();
        pair.alice.stop();
        pair.alice.keep_copy();
        pair.alice.start();
        pair.world.settle();
    }
    /// Each says so many things to the other, in turns.
    void talk(const std::string& about, int turns) {
        for (int i = 0; i < turns; ++i) {
            const auto text = about + " " + std::to_string(i);
            ASSERT_TRUE(pair.delivered(pair.alice, "bob", pair.alice.send("bob", text)));
            ASSERT_TRUE(pair.delivered(pair.bob, "alice", pair.bob.send("alice", text)));
        }
    }
    [[nodiscard]] static std::size_t sessions(Client& client, const std::string& of) {
        return client.store().sessions_of(client.contact(of)->id).value().size();
    }
    [[nodiscard]] bool says_restored(const Client& client) const {
        return std::ranges::any_of(client.warnings(),
                                   [](const Warning& w) { return w.error.exit == Exit::done; });
    }

    Pair pair;
};

TEST_F(RestoredTest, IsNoticedAtTheNextLogInAndBothFindTogetherAgain) {
    talk("before", 2);
    copy_alice();
    talk("between", 3);
    pair.alice.stop();
    const auto waiting = pair.bob.send("alice", "while you were away");
    pair.world.run_for(a_minute);
    EXPECT_EQ(pair.bob.state_of("alice", waiting), MessageState::stored);

    pair.alice.put_back();
    pair.alice.forget_notices();
    pair.bob.forget_notices();
    const auto heard = pair.bob.heard("alice").size();
    pair.alice.start();
    pair.world.run_for(a_minute);
    EXPECT_TRUE(says_restored(pair.alice));
    EXPECT_TRUE(says_restored(pair.bob));
    EXPECT_EQ(pair.bob.heard("alice").size(), heard);  // nothing twice
    // Sealed for what she lost, and sent again for what she has now.
    EXPECT_TRUE(pair.delivered(pair.bob, "alice", waiting));
    EXPECT_EQ(pair.alice.heard("bob").back(), "while you were away");
    const auto after = pair.alice.send("bob", "after");
    EXPECT_TRUE(pair.delivered(pair.alice, "bob", after));
    const auto last = pair.bob.incoming("alice").back();
    EXPECT_EQ(last.text, "after");
    EXPECT_FALSE(last.late);
    talk("again", 2);
}

TEST_F(RestoredTest, NothingIsSealedAgainWithAKeyOfTheCopy) {
    copy_alice();
    talk("between", 2);
    pair.world.settle();
    pair.alice.stop();
    pair.alice.put_back();
    std::vector<char> types;
    pair.server.lie = [&](wire::Reply& reply) {
        if (reply.has_incoming() && types.empty()) types.push_back(reply.incoming().envelope().front());
    };
    // Written before she knows: it waits for the log-in only where there is one, so that it is sealed after.
    pair.alice.start();
    pair.alice.send("bob", "first words");
    ASSERT_TRUE(pair.world.run(
        [&] { return !pair.bob.heard("alice").empty() && pair.bob.heard("alice").back() == "first words"; }));
    ASSERT_FALSE(types.empty());
    EXPECT_EQ(types.front(), 0x11);  // a handshake
}

TEST_F(RestoredTest, ItsPrekeysAreReplacedAtTheServer) {
    copy_alice();
    // Handed out until a batch is made whose secrets the copy has never seen.
    auto statement = pair.server.database().prepare("DELETE FROM one_time_prekeys WHERE device > 0");
    ASSERT_TRUE(statement.run());
    pair.alice.stop();
    pair.alice.start();
    ASSERT_TRUE(pair.world.run([&] { return pair.server.one_time_left() > 0; }));
    pair.world.settle();
    auto& carol = pair.world.add("carol", pair.server);
    const auto link = pair.alice.invite();  // of the newer state: the copy will not know it
    pair.alice.stop();
    pair.alice.put_back();
    pair.alice.start();
    pair.world.run_for(a_minute);
    ASSERT_FALSE(carol.join(pair.alice.invite(), "alice"));
    EXPECT_TRUE(pair.world.run([&] { return Pair::confirmed(carol, "alice"); }));
    const auto id = carol.send("alice", "hello");
    EXPECT_TRUE(pair.delivered(carol, "alice", id));
    for (const auto& row : take(pair.alice.store().sessions_of(pair.alice.contact("carol")->id)))
        EXPECT_FALSE(row.session.weak_start());  // with one-time prekeys that both know
}

TEST_F(RestoredTest, AServerThatClaimsItAtEveryLogInProvokesOneRoundAnHour) {
    talk("before", 1);
    pair.world.settle();
    const auto before = sessions(pair.bob, "alice");
    std::uint64_t claimed = 1000;
    pair.server.lie = [&](wire::Reply& reply) {
        if (reply.has_welcome()) reply.mutable_welcome()->set_generation(claimed += 1000);
    };
    for (int i = 0; i < 10; ++i) {
        pair.alice.stop();
        pair.alice.start();
        pair.world.run_for(5 * a_minute);
    }
    EXPECT_EQ(sessions(pair.bob, "alice"), before + 1);
    pair.world.run_for(an_hour);
    pair.alice.stop();
    pair.alice.start();
    pair.world.run_for(5 * a_minute);
    EXPECT_EQ(sessions(pair.bob, "alice"), before + 2);
    talk("and still", 1);
}

TEST_F(RestoredTest, AnAnswerToWhatLeftBeforeIsNotTakenForWhatLeavesAfter) {
    talk("before", 1);
    std::string lost;  // an envelope that the server takes and never hands out
    bool lied = false;
    pair.server.lie = [&](wire::Reply& reply) {
        if (reply.has_incoming() && lost.empty()) lost = reply.incoming().envelope_id();
        if (reply.has_incoming() && reply.incoming().envelope_id() == lost) reply.clear_incoming();
        if (reply.has_welcome() && !std::exchange(lied, true)) reply.mutable_welcome()->set_generation(1000);
    };
    // The server's answer comes when its patience with Bob's device is over: after she has heard the lie.
    const auto id = pair.alice.send("bob", "unanswered when she hears of it");
    ASSERT_TRUE(pair.world.run([&] { return !lost.empty(); }));
    pair.world.cut(pair.alice, Purpose::identified);
    ASSERT_TRUE(pair.world.run([&] { return lied; }, 1900));
    EXPECT_TRUE(pair.delivered(pair.alice, "bob", id)) << "it is sealed anew and leaves again";
    EXPECT_EQ(pair.bob.heard("alice"),
              (std::vector<std::string>{"before 0", "unanswered when she hears of it"}));
}

TEST_F(RestoredTest, ANumberThatNoDeviceReachesIsPassedOver) {
    const auto before = sessions(pair.alice, "bob");
    pair.server.lie = [](wire::Reply& reply) {
        if (reply.has_welcome()) reply.mutable_welcome()->set_generation(protocol::max_generation + 1);
    };
    pair.alice.stop();
    pair.alice.forget_notices();
    pair.alice.start();
    pair.world.run_for(a_minute);
    EXPECT_FALSE(says_restored(pair.alice));
    EXPECT_EQ(sessions(pair.alice, "bob"), before);
}

TEST_F(RestoredTest, TheHighestNumberIsStillACopy) {
    pair.world.settle();
    pair.server.lie = [](wire::Reply& reply) {
        if (reply.has_welcome()) reply.mutable_welcome()->set_generation(protocol::max_generation);
    };
    pair.alice.stop();
    pair.alice.forget_notices();
    pair.alice.start();
    pair.world.run_for(a_minute);
    EXPECT_TRUE(says_restored(pair.alice));
    pair.server.lie = nullptr;
    talk("after", 1);
}

TEST_F(RestoredTest, AClientThatOnlyGoesOnIsNoCopy) {
    for (int i = 0; i < 5; ++i) {
        talk("day " + std::to_string(i), 1);
        pair.world.settle();
        pair.alice.stop();
        pair.alice.start();
        pair.bob.crash();
        pair.bob.start();
        pair.world.run_for(an_hour);
    }
    EXPECT_FALSE(says_restored(pair.alice));
    EXPECT_FALSE(says_restored(pair.bob));
}

TEST_F(RestoredTest, BothAtOnceFindTogetherToo) {
    talk("before", 1);
    copy_alice();
    pair.bob.stop();
    pair.bob.keep_copy();
    pair.bob.start();
    talk("between", 3);
    pair.alice.stop();
    pair.bob.stop();
    pair.alice.put_back();
    pair.bob.put_back();
    pair.alice.start();
    pair.bob.start();
    pair.world.run_for(5 * a_minute);
    EXPECT_TRUE(says_restored(pair.alice));
    EXPECT_TRUE(says_restored(pair.bob));
    talk("after", 2);
}

TEST_F(RestoredTest, ACrashInTheMiddleLeavesOneOrTheOther) {
    for (int draw = 1; draw <= 12; ++draw) {
        Pair other{static_cast<std::uint64_t>(draw) + 80};
        other.befriend();
        other.world.settle();
        other.alice.stop();
        other.alice.keep_copy();
        other.alice.start();
        ASSERT_TRUE(other.delivered(other.alice, "bob", other.alice.send("bob", "between")));
        other.world.settle();
        other.alice.stop();
        const auto waiting = other.bob.send("alice", "waiting");
        other.world.run_for(a_minute);
        other.alice.put_back();
        other.alice.rng().die_at(draw);
        other.alice.start();
        other.world.run_for(a_minute);
        other.alice.rng().die_at(0);
        if (!other.alice.running()) other.alice.start();
        EXPECT_TRUE(other.world.run(
            [&] { return other.bob.state_of("alice", waiting) == MessageState::delivered; }, 3 * an_hour))
            << "draw " << draw;
        EXPECT_EQ(other.alice.heard("bob"), std::vector<std::string>{"waiting"}) << "draw " << draw;
        EXPECT_TRUE(other.delivered(other.alice, "bob", other.alice.send("bob", "on"))) << "draw " << draw;
    }
}

}  // namespace
}  // namespace sotto::client::test
