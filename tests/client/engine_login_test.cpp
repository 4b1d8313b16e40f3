// The own server: registration, log-in, records, prekeys, tokens.
#include "client/pair.hpp"
#include "sotto/crypto/prekeys.hpp"

namespace sotto::client::test {
namespace {

using storage::PrekeyKind;

struct Alone {
    World world;
    SimServer& server = world.add_server("one.example");
};

// ---- registration ----

TEST(Registering, ATakenNameIsTheUsersInput) {
    Alone a;
    a.world.add("alice", a.server);
    auto& other = a.world.add_server("two.example");
    auto& second = a.world.add_new("alice", other);
    second.settle_at(a.server);
    const auto error = second.try_init();
    ASSERT_TRUE(error);
    EXPECT_EQ(error->exit, Exit::input);
    EXPECT_NE(error->sentence.find("taken"), std::string::npos);
}

TEST(Registering, ABadNameIsRefusedBeforeAnythingIsSent) {
    Alone a;
    for (const auto* name : {"A", "x", "Alice", "al ice", "-alice", "alice@x"}) {
        auto& client = a.world.add_new(name, a.server);
        const auto error = client.try_init();
        ASSERT_TRUE(error) << name;
        EXPECT_EQ(error->exit, Exit::input);
    }
}

TEST(Registering, ModesOfTheServerAreSaid) {
    Alone a;
    a.server.change_policy([](auto& policy) { policy.registration = keyserver::Registration::invite; });
    a.server.kill();
    a.server.restart();
    auto& client = a.world.add_new("alice", a.server);
    const auto none = client.try_init();
    ASSERT_TRUE(none);
    EXPECT_NE(none->sentence.find("--invite"), std::string::npos);
    const auto bad = client.try_init("made-up");
    ASSERT_TRUE(bad);
    EXPECT_EQ(bad->exit, Exit::input);
    EXPECT_NE(bad->sentence.find("invite"), std::string::npos);

    a.server.change_policy([](auto& policy) { policy.registration = keyserver::Registration::closed; });
    a.server.kill();
    a.server.restart();
    const auto closed = a.world.add_new("bob", a.server).try_init();
    ASSERT_TRUE(closed);
    EXPECT_NE(closed->sentence.find("no new accounts"), std::string::npos);
}

TEST(Registering, AServerThatIsDownOrHasAnotherKeyIsSaid) {
    Alone a;
    auto& client = a.world.add_new("alice", a.server);
    a.world.kill(a.server);
    const auto down = client.try_init();
    ASSERT_TRUE(down);
    EXPECT_EQ(down->exit, Exit::network);
    a.server.restart();
    client.wrong_pin = true;
    const auto wrong = client.try_init();
    ASSERT_TRUE(wrong);
    EXPECT_EQ(wrong->exit, Exit::untrusted);
}

TEST(Registering, ALostAnswerDoesNotCostTheName) {
    Alone a;
    auto& client = a.world.add_new("alice", a.server);
    a.server.lie = [](wire::Reply& reply) {
        if (reply.has_welcome()) reply.set_id(99);
    };
    ASSERT_TRUE(client.try_init());
    a.server.lie = nullptr;
    EXPECT_FALSE(client.try_init());
    client.start();
    EXPECT_TRUE(a.world.run([&] { return client.engine().logged_in(); }));
}

TEST(Registering, AnUnregisteredIdentityRegistersWithTheSameKeys) {
    Alone a;
    auto& client = a.world.add_new("alice", a.server);
    // The keys are made, the server dies before it hears of them.
    a.server.lie = [&](wire::Reply& reply) {
        if (reply.has_welcome()) reply.set_id(99);
    };
    ASSERT_TRUE(client.try_init());
    const auto device = client.store().identity().value()->device;
    ASSERT_TRUE(a.server.database().execute("DELETE FROM accounts"));
    a.server.lie = nullptr;
    EXPECT_FALSE(client.try_init());
    EXPECT_EQ(client.store().identity().value()->device, device);
    EXPECT_TRUE(client.store().identity().value()->registered);
}

TEST(Registering, ARegisteredProfileIsNotOverwritten) {
    Alone a;
    auto& client = a.world.add_new("alice", a.server);
    client.init();
    const auto again = client.try_init();
    ASSERT_TRUE(again);
    EXPECT_EQ(again->exit, Exit::input);
}

TEST(Registering, UnboundModeHasToBeAccepted) {
    Alone a;
    a.server.change_policy([](auto& policy) { policy.unbound = true; });
    a.server.kill();
    a.server.restart();
    auto& client = a.world.add_new("alice", a.server);
    const auto refused = client.try_init();
    ASSERT_TRUE(refused);
    EXPECT_EQ(refused->exit, Exit::untrusted);
    EXPECT_FALSE(client.try_init({}, true));
    client.start();
    EXPECT_TRUE(a.world.run([&] { return client.engine().logged_in(); }));
}

// ---- log-in ----

TEST(LogIn, AnEngineNeedsARegisteredProfile) {
    Alone a;
    auto& client = a.world.add_new("alice", a.server);
    client.opened();
    const auto engine = Engine::create(client.store(), client.rng(), {});
    ASSERT_FALSE(engine);
    EXPECT_EQ(engine.error().exit, Exit::input);
}

TEST(LogIn, ComesBackByItselfWheneverTheServerDoes) {
    Alone a;
    auto& alice = a.world.add("alice", a.server);
    for (int i = 0; i < 3; ++i) {
        a.world.kill(a.server);
        a.world.run_for(i * 60'000 + 500);
        EXPECT_FALSE(alice.engine().logged_in());
        EXPECT_FALSE(alice.notices<LostServer>().empty());
        a.server.restart();
        EXPECT_TRUE(a.world.run([&] { return alice.engine().logged_in(); }, 3 * 60'000));
    }
    EXPECT_TRUE(alice.warnings().empty());
}

TEST(LogIn, WaitsLongerEachTimeButNoMoreThanAMinute) {
    Alone a;
    auto& alice = a.world.add("alice", a.server);
    a.world.kill(a.server);
    alice.forget_notices();
    a.world.run_for(10 * 60'000);
    const auto tries = alice.notices<LostServer>().size();
    EXPECT_GE(tries, 10U);
    EXPECT_LE(tries, 40U);
}

TEST(LogIn, AClockThatIsSetDoesNotStopAnything) {
    Pair pair;
    pair.befriend();
    for (const auto hours : {-5, 30, -400}) {
        pair.world.settle();
        pair.world.clock.set_by += hours * 3'600'000LL;
        const auto id = pair.bob.send("alice", "what time is it?");
        EXPECT_TRUE(pair.delivered(pair.bob, "alice", id));
        pair.world.kill(pair.server);
        pair.world.run_for(5000);
        pair.server.restart();
        EXPECT_TRUE(
            pair.world.run([&] { return pair.alice.engine().logged_in() && pair.bob.engine().logged_in(); }));
    }
    EXPECT_TRUE(pair.alice.warnings().empty());
}

TEST(LogIn, AnotherServerNameIsExitFour) {
    Alone a;
    auto& alice = a.world.add("alice", a.server);
    a.world.kill(a.server);
    a.server.change_policy([](auto& policy) { policy.server_name = "other.example"; });
    a.server.restart();
    ASSERT_TRUE(a.world.run([&] { return alice.warned(Exit::untrusted); }));
    EXPECT_FALSE(alice.engine().logged_in());
}

TEST(LogIn, UnboundModeThatAppearsLaterIsExitFour) {
    Alone a;
    auto& alice = a.world.add("alice", a.server);
    a.world.kill(a.server);
    a.server.change_policy([](auto& policy) { policy.unbound = true; });
    a.server.restart();
    ASSERT_TRUE(a.world.run([&] { return alice.warned(Exit::untrusted); }));
    EXPECT_FALSE(alice.engine().logged_in());
}

TEST(LogIn, AnotherRecordOfOursAtTheServerIsExitFour) {
    for (const bool newer : {true, false}) {
        Alone a;
        auto& alice = a.world.add("alice", a.server);
        a.server.lie = [&](wire::Reply& reply) {
            if (!reply.has_welcome()) return;
            if (newer) reply.mutable_welcome()->set_record_sequence(2);
            reply.mutable_welcome()->set_record_hash(std::string(32, 'x'));
        };
        alice.stop();
        alice.start();
        ASSERT_TRUE(a.world.run([&] { return alice.warned(Exit::untrusted); }));
        EXPECT_FALSE(alice.engine().logged_in());
    }
}

TEST(LogIn, AnAccountThatIsGoneIsSaid) {
    Alone a;
    auto& alice = a.world.add("alice", a.server);
    alice.stop();
    ASSERT_TRUE(a.server.database().execute("DELETE FROM accounts"));
    alice.start();
    ASSERT_TRUE(a.world.run([&] { return alice.warned(Exit::network); }));
    a.world.run_for(5 * 60'000);
    EXPECT_EQ(alice.warnings().size(), 1U);
}

TEST(LogIn, AServerThatTalksNonsenseIsLeftAndTriedAgain) {
    Alone a;
    auto& alice = a.world.add("alice", a.server);
    for (int kind = 0; kind < 4; ++kind) {
        a.server.lie = [kind](wire::Reply& reply) {
            if (kind == 0 && reply.has_hello()) reply.mutable_hello()->set_version(9);
            if (kind == 1 && reply.has_hello()) reply.mutable_hello()->set_nonce("short");
            if (kind == 2 && reply.has_welcome()) reply.set_id(77);
            if (kind == 3 && reply.has_hello()) reply.set_id(5);
        };
        alice.stop();
        alice.start();
        alice.forget_notices();
        a.world.run_for(5000);
        EXPECT_FALSE(alice.engine().logged_in());
        EXPECT_FALSE(alice.notices<LostServer>().empty()) << kind;
        a.server.lie = nullptr;
        EXPECT_TRUE(a.world.run([&] { return alice.engine().logged_in(); }));
    }
}

TEST(LogIn, AServerThatFallsSilentIsNoticed) {
    Alone a;
    auto& alice = a.world.add("alice", a.server);
    alice.forget_notices();
    a.server.lie = [](wire::Reply& reply) {
        if (reply.has_done()) {
            reply.Clear();
            reply.mutable_prekeys_low()->set_one_time_left(100);
            reply.mutable_prekeys_low()->set_one_time_kem_left(100);
        }
    };
    ASSERT_TRUE(a.world.run([&] { return !alice.notices<LostServer>().empty(); }, 2 * 60'000));
    a.server.lie = nullptr;
    EXPECT_TRUE(a.world.run([&] { return alice.engine().logged_in(); }));
}

// ---- records, prekeys, tokens ----

std::int64_t number(SimServer& server, std::string_view sql) {
    auto statement = server.database().prepare(sql);
    const auto row = statement.step();
    return row && *row ? statement.integer(0) : -1;
}

TEST(Upkeep, PrekeysAreFilledUpAtLogInAndWhenTheServerAsks) {
    Pair pair;
    const auto of_alice = [&] {
        return number(pair.server,
                      "SELECT count(*) FROM one_time_prekeys JOIN accounts ON accounts.id = account "
                      "WHERE user = 'alice'");
    };
    EXPECT_EQ(of_alice(), 200);
    ASSERT_TRUE(pair.server.database().execute("DELETE FROM one_time_prekeys WHERE id > 10"));
    pair.alice.stop();
    pair.alice.start();
    ASSERT_TRUE(pair.world.run([&] { return of_alice() == 220; }));

    ASSERT_TRUE(pair.server.database().execute("DELETE FROM one_time_prekeys WHERE id > 10"));
    // Bob's fetch makes the server ask.
    ASSERT_FALSE(pair.bob.join(pair.alice.invite(), "alice"));
    ASSERT_TRUE(pair.world.run([&] { return of_alice() > 200; }));
}

TEST(Upkeep, SignedPrekeysAreRotatedEveryTwoDays) {
    Alone a;
    auto& alice = a.world.add("alice", a.server);
    const auto day_at_server = [&] { return number(a.server, "SELECT signed_day FROM prekeys"); };
    const auto first = day_at_server();
    a.world.clock.now += a_day;
    a.world.run_for(60'000);
    EXPECT_EQ(day_at_server(), first);
    // A client that stays connected looks by itself.
    a.world.run_for(a_day + a_day / 2);
    EXPECT_GE(day_at_server(), first + 2);
    EXPECT_EQ(day_at_server(), alice.store().newest_prekey_day(PrekeyKind::signed_prekey).value());
    // The replaced secret stays for those who still use it …
    EXPECT_TRUE(alice.store().prekey(PrekeyKind::signed_prekey, 1).value());
    for (int i = 0; i < 4; ++i) {
        a.world.clock.now += 10 * a_day;
        a.world.run_for(60'000);
    }
    // … and is gone a month later.
    EXPECT_FALSE(alice.store().prekey(PrekeyKind::signed_prekey, 1).value());
    EXPECT_TRUE(alice.warnings().empty());
}

TEST(Upkeep, PrekeysWhoseAnswerWasLostAreNotHandedOutTwice) {
    Alone a;
    auto& alice = a.world.add("alice", a.server);
    alice.stop();
    ASSERT_TRUE(a.server.database().execute("DELETE FROM one_time_prekeys"));
    a.server.lie = [](wire::Reply& reply) {
        if (reply.has_done()) reply.set_id(reply.id() + 1000);
    };
    alice.start();
    a.world.run_for(10'000);
    a.server.lie = nullptr;
    ASSERT_TRUE(a.world.run([&] { return alice.engine().logged_in() && alice.engine().idle(); }));
    EXPECT_TRUE(alice.store().unpublished_prekeys(PrekeyKind::one_time)->empty());
    EXPECT_EQ(a.server.one_time_left(), 200);
}

TEST(Upkeep, ANewerRecordOfOursIsPublishedAndContactsFollowIt) {
    Pair pair;
    pair.befriend();
    pair.world.settle();
    pair.bob.stop();
    auto body = take(pair.bob.opened().newest_own_record())->body();
    const auto previous = take(pair.bob.store().newest_own_record())->hash();
    body.sequence = 2;
    body.previous = previous;
    const auto next = crypto::AccountRecord::sign(body, pair.bob.account_key()).value();
    ASSERT_TRUE(pair.bob.store().put_own_record(next));
    pair.bob.start();
    ASSERT_TRUE(
        pair.world.run([&] { return number(pair.server, "SELECT max(sequence) FROM records") == 2; }));
    pair.bob.send("alice", "I have a new record");
    ASSERT_TRUE(pair.world.run([&] {
        const auto pinned = crypto::AccountRecord::parse(pair.alice.contact("bob")->record);
        return pinned && pinned->body().sequence == 2;
    }));
    EXPECT_TRUE(Pair::confirmed(pair.alice, "bob"));
    EXPECT_TRUE(pair.alice.warnings().empty());
    const auto id = pair.alice.send("bob", "I see");
    EXPECT_TRUE(pair.delivered(pair.alice, "bob", id));
}

TEST(Upkeep, TheTokenTableHasOneEntryForEachRight) {
    Pair pair;
    const auto tokens = [&](int kind) {
        return number(pair.server,
                      "SELECT count(*) FROM tokens JOIN accounts ON accounts.id = account WHERE "
                      "user = 'alice' AND kind = " +
                          std::to_string(kind));
    };
    ASSERT_TRUE(pair.world.run([&] { return pair.alice.engine().tokens_published(); }));
    EXPECT_EQ(tokens(1), 1);
    EXPECT_EQ(tokens(2), 0);
    const auto link = pair.alice.invite();
    EXPECT_TRUE(pair.alice.engine().tokens_published());
    EXPECT_EQ(tokens(3), 1);
    ASSERT_FALSE(pair.bob.join(link, "alice"));
    ASSERT_TRUE(pair.world.run([&] { return Pair::confirmed(pair.bob, "alice"); }));
    pair.bob.send("alice", "thanks");
    ASSERT_TRUE(pair.world.run([&] { return pair.alice.heard("bob").size() == 1; }));
    pair.world.settle();
    // The link has done its work.
    EXPECT_EQ(tokens(3), 0);
    EXPECT_EQ(tokens(2), 1);
    const auto second = pair.alice.invite();
    EXPECT_NE(crypto::invite_id(second.secret), crypto::invite_id(link.secret));
    EXPECT_EQ(tokens(3), 1);
    pair.world.clock.now += 8 * a_day;
    pair.world.run_for(60'000);
    EXPECT_EQ(tokens(3), 0);
}

TEST(Upkeep, AnIdleDeliveryConnectionIsClosed) {
    Pair pair;
    pair.befriend();
    pair.world.settle();
    EXPECT_TRUE(pair.world.run([&] { return pair.world.open_connections() == 2; }, 2 * 60'000));
    pair.bob.send("alice", "once more");
    ASSERT_TRUE(pair.world.run([&] { return pair.alice.heard("bob").size() == 1; }));
}

TEST(Upkeep, SendingWithoutLoggingInEndsByItself) {
    Pair pair;
    pair.befriend();
    pair.world.settle();
    pair.bob.stop();
    pair.bob.start_sending();
    EXPECT_TRUE(pair.bob.engine().idle());
    const auto id = pair.bob.send("alice", "quick");
    ASSERT_TRUE(pair.world.run([&] { return pair.bob.engine().idle(); }));
    EXPECT_EQ(pair.bob.state_of("alice", id), storage::MessageState::stored);
    EXPECT_FALSE(pair.bob.engine().logged_in());
}

}  // namespace
}  // namespace sotto::client::test
