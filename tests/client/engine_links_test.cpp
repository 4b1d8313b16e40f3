// Links: every way in which joining can go wrong, and what it leaves behind.
#include "client/pair.hpp"

namespace sotto::client::test {
namespace {

using storage::ContactState;
using storage::MessageState;
using storage::Verified;

/// The first warning, once there is one.
Error warning_of(World& world, Client& client) {
    EXPECT_TRUE(world.run([&] { return !client.warnings().empty(); }));
    return client.warnings().empty() ? Error{} : client.warnings().front().error;
}

TEST(Links, AnotherFingerprintIsRefusedAndNothingIsStored) {
    Pair pair;
    auto link = pair.alice.invite();
    link.fingerprint[0] ^= std::byte{1};
    ASSERT_FALSE(pair.bob.join(link, "alice"));
    EXPECT_EQ(warning_of(pair.world, pair.bob).exit, Exit::untrusted);
    EXPECT_FALSE(pair.bob.contact("alice"));
    EXPECT_TRUE(pair.bob.engine().idle());
}

TEST(Links, AServerThatSwapsTheRecordIsSeenByTheFingerprint) {
    Pair pair;
    auto& mallory = pair.world.add("mallory", pair.server);
    const auto link = pair.alice.invite();
    const auto other = mallory.store().newest_own_record().value().value();
    pair.server.lie = [&](wire::Reply& reply) {
        if (reply.has_records())
            reply.mutable_records()->set_records(0, std::string{chars_of(other.bytes())});
    };
    ASSERT_FALSE(pair.bob.join(link, "alice"));
    EXPECT_EQ(warning_of(pair.world, pair.bob).exit, Exit::untrusted);
    EXPECT_FALSE(pair.bob.contact("alice"));
}

TEST(Links, AUsedLinkIsRefusedToTheSecondUser) {
    Pair pair;
    auto& carol = pair.world.add("carol", pair.server);
    const auto link = pair.alice.invite();
    ASSERT_FALSE(pair.bob.join(link, "alice"));
    ASSERT_TRUE(pair.world.run([&] { return pair.alice.contact("bob").has_value(); }));
    ASSERT_FALSE(carol.join(link, "alice"));
    const auto error = warning_of(pair.world, carol);
    EXPECT_EQ(error.exit, Exit::input);
    EXPECT_NE(error.sentence.find("new one"), std::string::npos);
    EXPECT_FALSE(carol.contact("alice"));
}

TEST(Links, AnExpiredLinkIsRefused) {
    Pair pair;
    const auto link = pair.alice.invite();
    pair.world.clock.now += 8 * a_day;
    pair.world.run_for(2000);
    ASSERT_TRUE(pair.world.run([&] { return pair.bob.engine().logged_in(); }));
    pair.bob.forget_notices();
    ASSERT_FALSE(pair.bob.join(link, "alice"));
    const auto error = warning_of(pair.world, pair.bob);
    EXPECT_EQ(error.exit, Exit::input);
    EXPECT_FALSE(pair.bob.contact("alice"));
}

TEST(Links, OnesOwnLinkAKnownAddressAndATakenNameAreRefusedAtOnce) {
    Pair pair;
    const auto own = pair.bob.invite();
    const auto error = pair.bob.join(own, "me");
    ASSERT_TRUE(error);
    EXPECT_EQ(error->exit, Exit::input);

    pair.befriend();
    const auto again = pair.alice.invite();
    const auto known = pair.bob.join(again, "alice2");
    ASSERT_TRUE(known);
    EXPECT_NE(known->sentence.find("contact already"), std::string::npos);

    auto& carol = pair.world.add("carol", pair.server);
    const auto taken = pair.bob.join(carol.invite(), "alice");
    ASSERT_TRUE(taken);
    EXPECT_NE(taken->sentence.find("another name"), std::string::npos);
    EXPECT_TRUE(pair.bob.join(carol.invite(), "a\x1b[2Jb"));
    EXPECT_TRUE(pair.bob.join(carol.invite(), ""));
}

TEST(Links, AServerThatIsAwayEndsTheTryAndTheSameLinkWorksLater) {
    Pair pair;
    const auto link = pair.alice.invite();
    pair.world.kill(pair.server);
    pair.world.run_for(500);
    pair.bob.forget_notices();
    ASSERT_FALSE(pair.bob.join(link, "alice"));
    ASSERT_TRUE(pair.world.run([&] { return pair.bob.warned(Exit::network); }));
    EXPECT_FALSE(pair.bob.contact("alice"));
    pair.server.restart();
    ASSERT_FALSE(pair.bob.join(link, "alice"));
    ASSERT_TRUE(pair.world.run([&] { return Pair::confirmed(pair.bob, "alice"); }));
}

TEST(Links, ACrashAfterTheClaimDoesNotCostTheLink) {
    Pair pair;
    const auto link = pair.alice.invite();
    ASSERT_FALSE(pair.bob.join(link, "alice"));
    // The server takes the claim, the answer is lost.
    ASSERT_FALSE(pair.world.run([&] { return pair.bob.contact("alice").has_value(); }, 70));
    pair.bob.crash();
    pair.world.run_for(1000);
    pair.bob.start();
    ASSERT_FALSE(pair.bob.join(link, "alice"));
    ASSERT_TRUE(pair.world.run([&] { return Pair::confirmed(pair.bob, "alice"); }));
}

TEST(Links, SendingAloneIsEnoughToJoin) {
    Pair pair;
    const auto link = pair.alice.invite();
    pair.bob.stop();
    pair.bob.start_sending();
    ASSERT_FALSE(pair.bob.join(link, "alice"));
    ASSERT_TRUE(pair.world.run([&] { return pair.alice.contact("bob").has_value(); }));
    ASSERT_TRUE(pair.world.run([&] { return pair.bob.engine().idle(); }));
    EXPECT_FALSE(pair.bob.engine().logged_in());
    EXPECT_EQ(pair.bob.contact("alice")->state, ContactState::joining);
}

TEST(Links, AWithdrawnOrInventedLinkIsRefused) {
    Pair pair;
    auto link = pair.alice.invite();
    Array<32> guess{};
    link.secret = crypto::InviteSecret{guess};
    ASSERT_FALSE(pair.bob.join(link, "alice"));
    EXPECT_EQ(warning_of(pair.world, pair.bob).exit, Exit::input);
    EXPECT_FALSE(pair.bob.contact("alice"));
}

TEST(Links, ManyMessagesBeforeTheFirstAnswerArriveAfterIt) {
    Pair pair;
    const auto link = pair.alice.invite();
    pair.alice.stop();
    ASSERT_FALSE(pair.bob.join(link, "alice"));
    ASSERT_TRUE(pair.world.run([&] { return pair.bob.contact("alice").has_value(); }));
    std::vector<std::string> said;
    for (int i = 0; i < 80; ++i) {
        said.push_back("before the answer " + std::to_string(i));
        pair.bob.send("alice", said.back());
    }
    ASSERT_TRUE(pair.world.run([&] { return pair.bob.warned(Exit::rate); }));
    pair.alice.start();
    ASSERT_TRUE(pair.world.run([&] { return pair.alice.heard("bob").size() == said.size(); }));
    EXPECT_EQ(pair.alice.heard("bob"), said);
}

TEST(Links, BothUseALinkOfTheOtherAtOnce) {
    for (std::uint64_t seed = 1; seed <= 4; ++seed) {
        SCOPED_TRACE(seed);
        Pair pair(seed);
        const auto from_alice = pair.alice.invite();
        const auto from_bob = pair.bob.invite();
        ASSERT_FALSE(pair.bob.join(from_alice, "alice"));
        ASSERT_FALSE(pair.alice.join(from_bob, "bob"));
        ASSERT_TRUE(pair.world.run(
            [&] { return pair.bob.contact("alice").has_value() && pair.alice.contact("bob").has_value(); }));
        const auto hello = pair.bob.send("alice", "hello");
        const auto hi = pair.alice.send("bob", "hi");
        EXPECT_TRUE(pair.delivered(pair.bob, "alice", hello));
        EXPECT_TRUE(pair.delivered(pair.alice, "bob", hi));
        EXPECT_TRUE(pair.world.settle());
        EXPECT_EQ(pair.alice.heard("bob"), std::vector<std::string>{"hello"});
        EXPECT_EQ(pair.bob.heard("alice"), std::vector<std::string>{"hi"});
        EXPECT_TRUE(Pair::confirmed(pair.alice, "bob"));
        EXPECT_TRUE(Pair::confirmed(pair.bob, "alice"));
        // One session remains for sending, the same on both sides: the lower id.
        const auto sending = [](Client& client, const std::string& name) {
            std::vector<crypto::SessionId> out;
            std::vector<crypto::SessionId> all;
            for (const auto& row : take(client.store().sessions_of(client.contact(name)->id))) {
                all.push_back(row.session.id());
                if (!row.archived) out.push_back(row.session.id());
            }
            EXPECT_EQ(out.size(), 1U);
            EXPECT_EQ(out.front(), std::ranges::min(all));
            return out;
        };
        EXPECT_EQ(sending(pair.alice, "bob"), sending(pair.bob, "alice"));
    }
}

TEST(Links, AClaimedNameThatItsServerDoesNotConfirmStaysClaimed) {
    Pair pair;
    // Mallory has an account of the same address on a server that only calls itself one.example …
    auto& evil = pair.world.add_server("evil.example");
    evil.change_policy([](auto& policy) { policy.server_name = "one.example"; });
    evil.kill();
    evil.restart();
    auto& carol = pair.world.add("carol", pair.server);
    auto& mallory = pair.world.add("carol", evil);
    const auto link = pair.alice.invite();
    // … and uses Alice's link with it at the real one.
    mallory.stop();
    ASSERT_FALSE(mallory.contact("nobody"));
    auto identity = mallory.store().identity().value();
    identity->server_host = pair.server.endpoint().host;
    identity->server_pin = pair.server.endpoint().pin;
    ASSERT_TRUE(mallory.store().put_identity(*identity));
    mallory.start_sending();
    ASSERT_FALSE(mallory.join(link, "alice"));
    ASSERT_TRUE(pair.world.run([&] { return pair.alice.contact("carol").has_value(); }));
    EXPECT_EQ(warning_of(pair.world, pair.alice).exit, Exit::untrusted);
    pair.world.run_for(10'000);
    EXPECT_EQ(pair.alice.contact("carol")->state, ContactState::claimed);
    EXPECT_EQ(pair.alice.contact("carol")->verified, Verified::no);
    EXPECT_NE(carol.store().newest_own_record().value()->hash(),
              mallory.store().newest_own_record().value()->hash());
}

TEST(Links, AServerThatShowsAnotherRecordAtTheClaimedAddressIsExitFour) {
    Pair pair;
    const auto link = pair.alice.invite();
    const auto bobs = pair.bob.store().newest_own_record().value().value();
    // The same address under another account key, made by the server.
    crypto::SeededRng rng(5);
    const auto forged_key = crypto::AccountKeyPair::generate(rng);
    auto body = bobs.body();
    body.account_key = forged_key.public_key();
    const auto forged = crypto::AccountRecord::sign(body, forged_key).value();
    pair.server.lie = [&](wire::Reply& reply) {
        if (reply.has_records() && bytes_of(reply.records().records(0)).size() == bobs.bytes().size() &&
            std::ranges::equal(bytes_of(reply.records().records(0)), bobs.bytes()))
            reply.mutable_records()->set_records(0, std::string{chars_of(forged.bytes())});
    };
    ASSERT_FALSE(pair.bob.join(link, "alice"));
    ASSERT_TRUE(pair.world.run([&] {
        const auto bob = pair.alice.contact("bob");
        return bob && bob->state == ContactState::changed;
    }));
    EXPECT_TRUE(pair.alice.warned(Exit::untrusted));
    EXPECT_EQ(pair.alice.contact("bob")->verified, Verified::no);
    const auto refused = pair.alice.try_send("bob", "secret");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().exit, Exit::untrusted);
}

TEST(Links, PeopleOnTwoServersTalk) {
    World world;
    auto& one = world.add_server("one.example");
    auto& two = world.add_server("two.example");
    auto& alice = world.add("alice", one);
    auto& bob = world.add("bob", two);
    ASSERT_FALSE(bob.join(alice.invite(), "alice"));
    ASSERT_TRUE(world.run([&] { return Pair::confirmed(alice, "bob") && Pair::confirmed(bob, "alice"); }));
    alice.send("bob", "across");
    ASSERT_TRUE(world.run([&] { return bob.heard("alice").size() == 1; }));
    EXPECT_EQ(alice.contact("bob")->server_host, "two.example");
}

TEST(Links, NamesOfNewContactsAreMadeUnique) {
    World world;
    auto& one = world.add_server("one.example");
    auto& two = world.add_server("two.example");
    auto& alice = world.add("alice", one);
    auto& first = world.add("bob", one);
    auto& second = world.add("bob", two);
    ASSERT_FALSE(first.join(alice.invite(), "alice"));
    ASSERT_TRUE(world.run([&] { return alice.contact("bob").has_value(); }));
    ASSERT_FALSE(second.join(alice.invite(), "alice"));
    ASSERT_TRUE(world.run([&] { return Pair::confirmed(alice, "bob-2"); }));
    EXPECT_EQ(alice.contact("bob-2")->address.server, "two.example");
}

}  // namespace
}  // namespace sotto::client::test
