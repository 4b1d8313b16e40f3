// Coming, being seen, leaving: the engine against the server's rules. Attacks 9, 27 and 33.
#include <bit>

#include "client/engine/presence_day.hpp"
#include "client/presence.hpp"

namespace sotto::client::test {
namespace {

TEST_F(PresenceTest, BothSeeEachOtherComeAndGo) {
    EXPECT_EQ(view(alice, "bob").kind, PresenceKind::unknown);
    ASSERT_NO_FATAL_FAILURE(meet());
    EXPECT_NE(view(bob, "alice").device, 0U);
    EXPECT_GT(view(bob, "alice").since, 0);
    alice.stop();
    EXPECT_TRUE(sees(bob, "alice", PresenceKind::offline, 1000)) << "pushed at once";
    alice.start();
    online(alice);
    EXPECT_TRUE(sees(bob, "alice", PresenceKind::online));
}

TEST_F(PresenceTest, WhoDiesIsSeenToLeave) {
    ASSERT_NO_FATAL_FAILURE(meet());
    alice.crash();
    world.run_for(9000);
    EXPECT_EQ(view(bob, "alice").kind, PresenceKind::online) << "it may be back in a moment";
    EXPECT_TRUE(sees(bob, "alice", PresenceKind::offline, 2000));
}

TEST_F(PresenceTest, StatusAndTextAreSeen) {
    ASSERT_NO_FATAL_FAILURE(meet());
    choose(alice, PresenceChoice::away, "back at three");
    ASSERT_TRUE(sees(bob, "alice", PresenceKind::away, 1000));
    EXPECT_EQ(view(bob, "alice").text, "back at three");
    choose(alice, PresenceChoice::busy);
    ASSERT_TRUE(sees(bob, "alice", PresenceKind::busy, 1000));
    EXPECT_EQ(view(bob, "alice").text, "");
    choose(alice, PresenceChoice::invisible);
    ASSERT_TRUE(sees(bob, "alice", PresenceKind::offline, 1000));
    EXPECT_EQ(view(alice, "bob").kind, PresenceKind::online) << "who is invisible still sees";
    choose(alice, PresenceChoice::online, "\xF0\x9F\x8C\xBB");
    ASSERT_TRUE(sees(bob, "alice", PresenceKind::online, 1000));
    EXPECT_EQ(view(bob, "alice").text, "\xF0\x9F\x8C\xBB");
}

TEST_F(PresenceTest, WhatWasChosenIsKept) {
    ASSERT_NO_FATAL_FAILURE(meet());
    choose(alice, PresenceChoice::busy, "writing");
    alice.stop();
    alice.start();
    online(alice);
    ASSERT_TRUE(sees(bob, "alice", PresenceKind::busy));
    EXPECT_EQ(view(bob, "alice").text, "writing");
    EXPECT_EQ(alice.engine().chosen_presence()->choice, PresenceChoice::busy);
    EXPECT_EQ(alice.engine().chosen_presence()->text, "writing");
}

TEST_F(PresenceTest, ATextThatCantBeShownIsRefused) {
    const auto tries = [&](const std::string& text) {
        return alice.engine().choose_presence(PresenceChoice::away, text, world.clock.wall());
    };
    EXPECT_EQ(tries(std::string(129, 'x')).error().exit, Exit::input);
    EXPECT_EQ(tries("\xFF").error().exit, Exit::input);
    EXPECT_EQ(alice.engine().chosen_presence()->choice, PresenceChoice::online) << "nothing was changed";
    EXPECT_TRUE(tries(std::string(128, 'x')));
}

TEST_F(PresenceTest, WhoIsNotAtTheMachineIsAway) {
    ASSERT_NO_FATAL_FAILURE(meet());
    const auto idle = [&](bool yes) {
        alice.apply([&] { return alice.engine().set_idle(yes, world.clock.wall()); });
    };
    idle(true);
    EXPECT_TRUE(sees(bob, "alice", PresenceKind::away, 1000));
    idle(false);
    EXPECT_TRUE(sees(bob, "alice", PresenceKind::online, 1000));
    choose(alice, PresenceChoice::busy);
    idle(true);
    world.run_for(1000);
    EXPECT_EQ(view(bob, "alice").kind, PresenceKind::busy) << "what was chosen stands";
}

TEST_F(PresenceTest, WhoOnlyLooksIsNotSeen) {
    online(alice);
    online(bob);
    ASSERT_TRUE(sees(bob, "alice", PresenceKind::online));
    bob.stop();
    ASSERT_TRUE(sees(alice, "bob", PresenceKind::offline));
    bob.start();
    online(bob, false);
    ASSERT_TRUE(sees(bob, "alice", PresenceKind::online));
    world.run_for(3000);
    EXPECT_EQ(view(alice, "bob").kind, PresenceKind::offline);
    EXPECT_TRUE(bob.engine().presence_settled());
}

TEST_F(PresenceTest, WhoMayNotSeeUsDoesNot) {
    ASSERT_NO_FATAL_FAILURE(meet());
    online(carol);
    ASSERT_TRUE(sees(carol, "alice", PresenceKind::online));
    visible(alice, "bob", false);
    ASSERT_TRUE(sees(bob, "alice", PresenceKind::offline, 2000));
    choose(alice, PresenceChoice::away);
    ASSERT_TRUE(sees(carol, "alice", PresenceKind::away, 2000));
    world.run_for(5000);
    EXPECT_EQ(view(bob, "alice").kind, PresenceKind::offline);
    visible(alice, "bob", true);
    EXPECT_TRUE(sees(bob, "alice", PresenceKind::away));
}

TEST_F(PresenceTest, WhoIsBlockedSeesNothingAndHisKeyIsWorthNothing) {
    ASSERT_NO_FATAL_FAILURE(meet());
    const auto before = alice.store().presence(id(alice, "bob"));
    ASSERT_TRUE(before->own);
    ASSERT_FALSE(alice.block("bob"));
    ASSERT_TRUE(sees(bob, "alice", PresenceKind::offline, 2000));
    EXPECT_TRUE(sees(alice, "bob", PresenceKind::unknown, 2000));
    world.run_for(5000);
    EXPECT_FALSE(alice.store().presence(id(alice, "bob"))->own);
    ASSERT_FALSE(alice.unblock("bob"));
    ASSERT_TRUE(sees(bob, "alice", PresenceKind::online));
    const auto after = alice.store().presence(id(alice, "bob"));
    ASSERT_TRUE(after->own);
    EXPECT_FALSE(crypto::equal_constant_time(before->own->key.expose(), after->own->key.expose()))
        << "another key";
}

TEST_F(PresenceTest, AReconnectIsNotSeen) {
    ASSERT_NO_FATAL_FAILURE(meet());
    for (int i = 0; i < 3; ++i) {
        alice.forget_notices();
        bob.forget_notices();
        // Bob's: what he knew stands until the server has told him anew.
        world.cut(bob, Purpose::presence);
        world.run_for(15'000);
        EXPECT_EQ(view(bob, "alice").kind, PresenceKind::online);
        EXPECT_TRUE(told(bob, "alice").empty());
        // Alice's: it may be back in a moment, and is.
        world.cut(alice, Purpose::presence);
        world.run_for(30'000);
        EXPECT_TRUE(told(bob, "alice").empty());
        EXPECT_TRUE(told(alice, "bob").empty());
    }
}

TEST_F(PresenceTest, AServerThatIsStartedAgainIsNotSeen) {
    ASSERT_NO_FATAL_FAILURE(meet());
    for (const std::int64_t away : {200, 3000, 12'000, 20'000}) {
        alice.forget_notices();
        bob.forget_notices();
        world.kill(circle.server);
        world.run_for(away);
        circle.server.restart();
        world.run_for(2 * a_minute);
        EXPECT_TRUE(told(bob, "alice").empty()) << away;
        EXPECT_TRUE(told(alice, "bob").empty()) << away;
    }
    // Longer than what was known is worth: nothing is known then, but nobody is said to have gone.
    world.kill(circle.server);
    world.run_for(50'000);
    circle.server.restart();
    world.run_for(3 * a_minute);
    EXPECT_EQ(told(bob, "alice"), (std::vector{PresenceKind::unknown, PresenceKind::online}));
    EXPECT_EQ(told(alice, "bob"), (std::vector{PresenceKind::unknown, PresenceKind::online}));
    alice.crash();
    EXPECT_TRUE(sees(bob, "alice", PresenceKind::offline, 15'000)) << "who goes later is not waited for";
}

TEST_F(PresenceTest, WhoGoesWhileTheServerIsAwayIsOfflineInTheEnd) {
    ASSERT_NO_FATAL_FAILURE(meet());
    world.kill(circle.server);
    alice.crash();
    world.run_for(5000);
    circle.server.restart();
    EXPECT_TRUE(sees(bob, "alice", PresenceKind::offline, a_minute));
}

TEST_F(PresenceTest, AnotherKeyIsNotSeen) {
    ASSERT_NO_FATAL_FAILURE(meet());
    for (int i = 0; i < 3; ++i) {
        bob.forget_notices();
        const auto before = topic_today(alice, "bob");
        // As when the contact begins a session anew.
        auto row = take(alice.store().presence(id(alice, "bob")));
        row.own.reset();
        ASSERT_TRUE(alice.store().put_presence(row));
        visible(alice, "carol", i % 2 != 0);
        world.run_for(20'000);
        EXPECT_NE(topic_today(alice, "bob"), before);
        EXPECT_EQ(view(bob, "alice").kind, PresenceKind::online);
        EXPECT_TRUE(told(bob, "alice").empty());
    }
    alice.stop();
    EXPECT_TRUE(sees(bob, "alice", PresenceKind::offline, 1000)) << "under the new one";
}

TEST_F(PresenceTest, WithoutAServerNothingIsKnown) {
    ASSERT_NO_FATAL_FAILURE(meet());
    world.kill(circle.server);
    world.run_for(20'000);
    EXPECT_EQ(view(bob, "alice").kind, PresenceKind::online) << "not at once";
    EXPECT_TRUE(sees(bob, "alice", PresenceKind::unknown, 30'000));
    circle.server.restart();
    EXPECT_TRUE(sees(bob, "alice", PresenceKind::online, 180'000));
    EXPECT_TRUE(sees(alice, "bob", PresenceKind::online, 180'000));
}

TEST_F(PresenceTest, TheDayChangesUnseen) {
    world.config.ping_every = 10 * 60 * 1000;
    for (auto* const client : {&alice, &bob}) {
        client->stop();
        client->start();
    }
    // To 23:20 by every clock.
    world.clock.set_by = a_day - world.clock.now % a_day - 40 * 60 * 1000;
    world.run_for(5 * 60 * 1000);
    ASSERT_NO_FATAL_FAILURE(meet());
    const auto topic = [&] {
        const auto row = alice.store().presence(id(alice, "bob"));
        return crypto::presence_topic(*crypto::presence_key_at(
            row->own->key, row->own->day, static_cast<std::uint32_t>(world.clock.wall() / a_day)));
    };
    const auto first = topic();
    bob.forget_notices();
    alice.forget_notices();
    for (int hour = 0; hour < 3; ++hour) world.run_for(an_hour);
    EXPECT_NE(topic(), first);
    EXPECT_EQ(view(bob, "alice").kind, PresenceKind::online);
    EXPECT_TRUE(told(bob, "alice").empty()) << "never gone, not for a moment";
    EXPECT_TRUE(told(alice, "bob").empty());
    choose(alice, PresenceChoice::away);
    EXPECT_TRUE(sees(bob, "alice", PresenceKind::away, 1000));
    const auto row = alice.store().presence(id(alice, "bob"));
    EXPECT_GE(row->own->day + 1, static_cast<std::uint32_t>(world.clock.wall() / a_day))
        << "yesterday's key is the oldest that is kept";
    EXPECT_GE(bob.store().presence(id(bob, "alice"))->theirs->day + 1, today()) << "by the other side too";
}

TEST_F(PresenceTest, WhoWasAwayForLongFindsAContactWhoWasNot) {
    ASSERT_NO_FATAL_FAILURE(meet());
    const auto sequence = bob.store().presence(id(bob, "alice"))->theirs->sequence;
    go_before_midnight(12 * an_hour);
    // The key that Bob has is old; Alice has brought hers forward each day.
    auto mine = take(alice.opened().presence(id(alice, "bob")));
    auto theirs = take(bob.opened().presence(id(bob, "alice")));
    const auto first = today() - 500;
    mine.own->day = first + 400;
    mine.own->key = *crypto::presence_key_at(theirs.theirs->key, 0, 400);
    theirs.theirs->day = first;
    ASSERT_TRUE(alice.opened().put_presence(mine));
    ASSERT_TRUE(bob.opened().put_presence(theirs));
    come(alice);
    come(bob);
    EXPECT_TRUE(sees(bob, "alice", PresenceKind::online, 10'000));
    const auto now = take(bob.store().presence(id(bob, "alice")));
    EXPECT_GE(now.theirs->day + 1, today());
    EXPECT_EQ(now.theirs->sequence, sequence) << "a later content still stands above it";
}

TEST_F(PresenceTest, AKeyThatIsOfNoUseIsMadeAnew) {
    ASSERT_NO_FATAL_FAILURE(meet());
    for (const int days : {-500, 30}) {
        alice.stop();
        auto row = take(alice.opened().presence(id(alice, "bob")));
        row.own->day = static_cast<std::uint32_t>(static_cast<int>(today()) + days);
        ASSERT_TRUE(alice.opened().put_presence(row));
        come(alice);
        ASSERT_TRUE(sees(bob, "alice", PresenceKind::online)) << days;
        EXPECT_EQ(alice.store().presence(id(alice, "bob"))->own->day, today() - 1);
    }
}

TEST_F(PresenceTest, AKeyOfTheirsThatIsOfNoUseTellsNothing) {
    ASSERT_NO_FATAL_FAILURE(meet());
    bob.stop();
    auto row = take(bob.opened().presence(id(bob, "alice")));
    row.theirs->day = today() + 30;
    ASSERT_TRUE(bob.opened().put_presence(row));
    come(bob);
    world.run_for(20'000);
    EXPECT_EQ(view(bob, "alice").kind, PresenceKind::unknown);
}

TEST_F(PresenceTest, TheServerSeesTopicsInPowersOfTwoAndForgetsThem) {
    ASSERT_NO_FATAL_FAILURE(meet());
    // Alice shows herself to two, Bob to one.
    EXPECT_EQ(circle.server.presence().held(), 16U);
    choose(alice, PresenceChoice::away);
    ASSERT_TRUE(sees(bob, "alice", PresenceKind::away, 1000));
    EXPECT_EQ(circle.server.presence().held(), 16U) << "the same ones again";
    choose(alice, PresenceChoice::invisible);
    ASSERT_TRUE(sees(bob, "alice", PresenceKind::offline, 1000));
    world.run_for(1000);
    EXPECT_EQ(circle.server.presence().held(), 8U) << "nothing stays of who is invisible";
    alice.stop();
    bob.stop();
    world.run_for(1000);
    EXPECT_EQ(circle.server.presence().held(), 0U);
    EXPECT_EQ(circle.server.presence().topics(), 0U);
}

TEST_F(PresenceTest, PeopleOnTwoServersSeeEachOther) {
    Circle apart{5, true};
    ASSERT_NO_FATAL_FAILURE(apart.befriend());
    for (auto* const client : {&apart.alice, &apart.carol})
        client->apply([&] { return client->engine().go_online(true, apart.world.clock.wall()); });
    EXPECT_TRUE(apart.world.run([&] {
        return view(apart.alice, "carol").kind == PresenceKind::online &&
               view(apart.carol, "alice").kind == PresenceKind::online;
    }));
    apart.carol.stop();
    EXPECT_TRUE(apart.world.run([&] { return view(apart.alice, "carol").kind == PresenceKind::offline; }));
}

TEST_F(PresenceTest, WhatIsBroughtUnderATopicWithoutItsKeyIsNotShown) {
    ASSERT_NO_FATAL_FAILURE(meet());
    // The server, or a contact who squats on the topic, has the topic and not the key.
    alice.stop();
    ASSERT_TRUE(sees(bob, "alice", PresenceKind::offline));
    const auto row = bob.store().presence(id(bob, "alice"));
    const auto key = crypto::presence_key_at(row->theirs->key, row->theirs->day,
                                             static_cast<std::uint32_t>(world.clock.wall() / a_day));
    const auto connection = circle.server.accept(Purpose::presence, {});
    wire::Request request;
    request.set_id(1);
    auto& post = *request.mutable_publish_presence()->add_posts();
    post.set_topic(std::string{chars_of(crypto::presence_topic(*key))});
    post.set_write_key(std::string(16, 'k'));
    post.set_blob(std::string(52, 'b'));
    circle.server.receive(connection, bytes_of(request.SerializeAsString()));
    world.run_for(3000);
    EXPECT_EQ(view(bob, "alice").kind, PresenceKind::offline);
    circle.server.disconnect(connection);
}

TEST_F(PresenceTest, NobodyIsGivenAKeyBeforeWePublish) {
    online(alice, false);
    world.run_for(5000);
    EXPECT_FALSE(alice.store().presence(id(alice, "bob"))->own);
    EXPECT_FALSE(bob.store().presence(id(bob, "alice"))->theirs);
    online(alice);
    ASSERT_TRUE(world.settle());
    EXPECT_TRUE(bob.store().presence(id(bob, "alice"))->theirs);
}

TEST(PresenceDays, ArePublishedAndWatchedSoThatTheyAlwaysMeet) {
    constexpr std::int64_t begin = 20'000 * a_day;
    constexpr std::int64_t step = 60'000;
    for (std::int64_t turn = 0; turn <= longest_turn; turn += step) {
        for (auto time = begin; time < begin + 2 * a_day; time += step) {
            const auto published = days_to_publish(time, turn);
            const auto watched = days_to_watch(time);
            // Every change is made before the next one: at each moment there is a day that is published for
            // good and watched for good.
            const auto meets = [&](std::int64_t at) {
                return std::ranges::any_of(days_to_publish(at, turn), [&](std::uint32_t day) {
                    return std::ranges::find(watched, day) != watched.end();
                });
            };
            EXPECT_TRUE(meets(time) && meets(time + 15 * step) && meets(time - 15 * step)) << time - begin;
            EXPECT_LE(published.size(), 2U);
            EXPECT_LE(watched.size(), 2U);
        }
    }
}

TEST(PresenceDays, OneAloneIsEnoughForWhoCantWatchTwo) {
    constexpr std::int64_t begin = 20'000 * a_day;
    for (auto time = begin; time < begin + 2 * a_day; time += 10'000) {
        const auto first = day_to_watch_first(time);
        const auto watched = days_to_watch(time);
        EXPECT_NE(std::ranges::find(watched, first), watched.end());
        for (std::int64_t turn = 0; turn <= longest_turn; turn += 60'000) {
            const auto published = days_to_publish(time, turn);
            EXPECT_NE(std::ranges::find(published, first), published.end()) << time - begin;
        }
        EXPECT_NE(day_to_watch_first(next_day_to_watch_first(time)), first);
        EXPECT_EQ(day_to_watch_first(next_day_to_watch_first(time) - 1), first);
    }
}

TEST(PresenceDays, TheNextChangeIsWhenSomethingChanges) {
    constexpr std::int64_t begin = 20'000 * a_day;
    constexpr std::int64_t turn = 7 * 60'000;
    auto time = begin;
    int changes = 0;
    while (time < begin + 2 * a_day) {
        const auto next = next_change_of_days(time, turn);
        ASSERT_GT(next, time);
        EXPECT_EQ(days_to_publish(next - 1, turn), days_to_publish(time, turn));
        EXPECT_EQ(days_to_watch(next - 1), days_to_watch(time));
        EXPECT_TRUE(days_to_publish(next, turn) != days_to_publish(time, turn) ||
                    days_to_watch(next) != days_to_watch(time));
        time = next;
        changes += next < begin + 2 * a_day ? 1 : 0;
    }
    EXPECT_EQ(changes, 8);
}

}  // namespace
}  // namespace sotto::client::test
