// What a server sees of who comes, stays and leaves, and what becomes of what it refuses. Attacks 9 and 27.
#include "client/presence.hpp"

namespace sotto::client::test {
namespace {

class PresenceSightTest : public PresenceTest {
  protected:
    /// The answers to Watch that are to be refused, and how.
    void refuse_watches(wire::FailureCode code, std::uint32_t wait, const std::function<bool()>& when) {
        refused_.reset();
        circle.server.remember = [this, when](keyserver::ConnectionId, const wire::Request& request) {
            if (request.has_watch_presence() && when()) refused_ = request.id();
        };
        circle.server.lie = [this, code, wait](wire::Reply& reply) {
            if (!reply.has_done() || reply.id() != refused_) return;
            refused_.reset();
            ++refusals;
            reply.mutable_failure()->set_code(code);
            reply.mutable_failure()->set_retry_after_ms(wait);
        };
    }
    int refusals = 0;

  private:
    std::optional<std::uint32_t> refused_;
};

TEST_F(PresenceSightTest, NothingIsSaidWhileNothingChanges) {
    ASSERT_NO_FATAL_FAILURE(meet());
    online(carol);
    ASSERT_TRUE(sees(alice, "carol", PresenceKind::online));
    world.run_for(5000);
    const Sight sight{circle.server};
    world.run_for(10 * a_minute);
    EXPECT_EQ(sight.requests, 0);
    alice.send("bob", "what is said changes nothing of it");
    world.run_for(10'000);
    EXPECT_EQ(sight.requests, 0);
    choose(alice, PresenceChoice::away);
    world.run_for(10'000);
    EXPECT_EQ(sight.publications, 1) << "once";
    choose(alice, PresenceChoice::away);
    world.run_for(10'000);
    EXPECT_EQ(sight.publications, 1);
}

TEST_F(PresenceSightTest, WhatIsPublishedOnTwoDaysSharesNothing) {
    go_before_midnight(30 * a_minute);
    const Sight sight{circle.server};
    come(alice);
    world.run_for(20 * a_minute);
    const auto before = sight.now_published();
    EXPECT_EQ(before.size(), 8U);
    world.run_for(12 * a_minute);
    EXPECT_TRUE(sight.withdrawn.empty());
    world.run_for(a_minute * 10);
    EXPECT_EQ(sight.now_published().size(), 16U) << "two days side by side";
    world.run_for(an_hour);
    const auto after = sight.now_published();
    EXPECT_EQ(after.size(), 8U);
    EXPECT_TRUE(both(before, after).empty()) << "nor do those that nobody is behind";
    ASSERT_EQ(sight.withdrawn.size(), 1U) << "all at once";
    EXPECT_EQ(sight.withdrawn.front(), before);
    for (const auto& [key, topics] : sight.write_keys) EXPECT_EQ(topics.size(), 1U);
    for (const auto& [topic, keys] : sight.keys_of) EXPECT_EQ(keys.size(), 1U);
}

TEST_F(PresenceSightTest, WhoComesBackIsNotKnownBySomethingNew) {
    ASSERT_NO_FATAL_FAILURE(meet());
    bob.stop();
    const Sight sight{circle.server};
    Sight::Topics published;
    Sight::Topics watched;
    for (int i = 0; i < 3; ++i) {
        alice.stop();
        come(alice);
        world.run_for(5000);
        if (i == 0) {
            published = sight.now_published();
            watched = sight.now_watched();
            EXPECT_EQ(published.size(), 8U);
            EXPECT_EQ(watched.size(), 8U);
            EXPECT_TRUE(both(published, watched).empty());
        }
        EXPECT_EQ(sight.now_published(), published);
        EXPECT_EQ(sight.now_watched(), watched);
    }
    world.cut(alice, Purpose::presence);
    world.run_for(5000);
    EXPECT_EQ(sight.now_published(), published);
    EXPECT_EQ(sight.now_watched(), watched);
}

TEST_F(PresenceSightTest, WhatIsWatchedIsLeftWithItsDay) {
    ASSERT_NO_FATAL_FAILURE(meet());
    go_before_midnight(2 * an_hour);
    const Sight sight{circle.server};
    come(bob, false);
    world.run_for(a_minute);
    EXPECT_EQ(sight.now_watched().size(), 8U);
    for (int day = 0; day < 3; ++day) {
        const auto before = sight.now_watched();
        world.run_for(a_day);
        EXPECT_EQ(sight.now_watched().size(), 8U);
        EXPECT_TRUE(both(before, sight.now_watched()).empty());
    }
}

TEST_F(PresenceSightTest, WhoIsInvisibleLeavesNothing) {
    ASSERT_NO_FATAL_FAILURE(meet());
    bob.stop();
    alice.stop();
    const Sight sight{circle.server};
    come(alice);
    world.run_for(5000);
    const auto before = sight.now_published();
    choose(alice, PresenceChoice::invisible);
    world.run_for(5000);
    EXPECT_EQ(circle.server.presence().held(), 0U);
    ASSERT_EQ(sight.withdrawn.size(), 1U);
    EXPECT_EQ(sight.withdrawn.front(), before) << "those that nobody is behind go with the rest";
    choose(alice, PresenceChoice::online);
    world.run_for(5000);
    EXPECT_EQ(sight.now_published(), before);
}

TEST_F(PresenceSightTest, AWatchThatIsRefusedHoldsNothingElseBack) {
    ASSERT_NO_FATAL_FAILURE(meet());
    bob.stop();
    ASSERT_TRUE(sees(alice, "bob", PresenceKind::offline));
    refuse_watches(wire::FAILURE_RATE, 60'000, [] { return true; });
    come(bob);
    EXPECT_TRUE(sees(alice, "bob", PresenceKind::online, 5000));
    choose(bob, PresenceChoice::away);
    EXPECT_TRUE(sees(alice, "bob", PresenceKind::away, 2000));
    world.run_for(2000);
    EXPECT_EQ(view(bob, "alice").kind, PresenceKind::online) << "what he is told counts";
    EXPECT_TRUE(bob.engine().presence_settled()) << "nobody waits for what is refused";
    choose(bob, PresenceChoice::invisible);
    EXPECT_TRUE(sees(alice, "bob", PresenceKind::offline, 2000));
    world.run_for(3 * a_minute);
    EXPECT_GE(refusals, 3) << "it is asked again all the time";
    EXPECT_LE(refusals, 5);
}

TEST_F(PresenceSightTest, WhatTheServerHadNoRoomForIsWatchedWhenItHas) {
    ASSERT_NO_FATAL_FAILURE(meet());
    bob.stop();
    const auto room = [&](std::size_t topics) {
        circle.server.change_policy([&](auto& policy) { policy.limits.presence_per_connection = topics; });
    };
    room(4);
    come(bob);
    world.run_for(20'000);
    EXPECT_EQ(view(bob, "alice").kind, PresenceKind::unknown);
    EXPECT_EQ(view(alice, "bob").kind, PresenceKind::offline);
    EXPECT_TRUE(bob.engine().presence_settled());
    room(2048);
    EXPECT_TRUE(sees(bob, "alice", PresenceKind::online, 6 * a_minute));
    EXPECT_TRUE(sees(alice, "bob", PresenceKind::online, 6 * a_minute));
}

TEST_F(PresenceSightTest, WhatIsRefusedWaitsWithoutATurnOfItsOwn) {
    ASSERT_NO_FATAL_FAILURE(meet());
    bob.stop();
    alice.stop();
    world.run_for(1000);
    std::optional<std::uint32_t> post;
    int answers = 0;
    circle.server.remember = [&](keyserver::ConnectionId, const wire::Request& request) {
        if (request.has_publish_presence()) post = request.id();
    };
    circle.server.lie = [&](wire::Reply& reply) {
        if (!reply.has_posted() || reply.id() != post) return;
        post.reset();
        // One topic is somebody else's; later the server has too much to do for a while.
        if (++answers == 1) return reply.mutable_posted()->add_refused(0);
        if (answers > 3) return;
        reply.mutable_failure()->set_code(wire::FAILURE_RATE);
        reply.mutable_failure()->set_retry_after_ms(static_cast<std::uint32_t>(2 * a_minute));
    };
    come(alice);
    world.run_for(4 * a_minute + 50'000);
    EXPECT_EQ(answers, 1);
    choose(alice, PresenceChoice::away);
    // The world throws if a client's deadline stands in the past.
    world.run_for(a_minute);
    EXPECT_EQ(answers, 2) << "what was refused first waits along";
    world.run_for(10 * a_minute);
    EXPECT_EQ(answers, 4);
}

TEST_F(PresenceSightTest, WhoHasMoreContactsThanTwoDaysHaveRoomForTurnsToTheNewOne) {
    constexpr std::size_t more = 1198;
    go_before_midnight(30 * a_minute);
    auto& store = alice.opened();
    auto sample = alice.contact("bob").value();
    ASSERT_TRUE(store.database().execute("BEGIN"));
    std::vector<storage::PresenceRow::Own> own;
    for (std::size_t i = 0; i < more; ++i) {
        auto contact = sample;
        contact.id = 0;
        contact.name = "c" + std::to_string(i);
        contact.address.user = contact.name;
        ASSERT_TRUE(store.add_contact(contact));
        storage::PresenceRow row;
        row.contact = contact.id;
        row.own.emplace(
            storage::PresenceRow::Own{.key = crypto::PresenceKey{world.dice.bytes<32>()},
                                      .day = today(),
                                      .write_secret = crypto::PresenceWriteSecret{world.dice.bytes<16>()}});
        ASSERT_TRUE(store.put_presence(row));
        own.push_back(std::move(*row.own));
    }
    ASSERT_TRUE(store.database().execute("COMMIT"));
    const auto all_on = [&](std::uint32_t day) {
        Sight::Topics out;
        for (const auto& each : own) {
            const auto topic = crypto::presence_topic(*crypto::presence_key_at(each.key, each.day, day));
            out.insert(std::string{chars_of(topic)});
        }
        return out;
    };
    const Sight sight{circle.server};
    come(alice);
    world.run_for(20 * a_minute);
    EXPECT_EQ(both(all_on(today()), sight.now_published()).size(), more);
    EXPECT_EQ(sight.now_published().size(), 2048U);
    world.run_for(20 * a_minute);
    EXPECT_EQ(both(all_on(today()), sight.now_published()).size(), more) << "all of them, on the new day";
    EXPECT_EQ(sight.now_published().size(), 2048U);
    EXPECT_EQ(sight.most_published, 2048U) << "never more than the server takes";
    EXPECT_EQ(circle.server.presence().held(), 2048U);
}

TEST_F(PresenceSightTest, WhoWatchesMoreThanTwoDaysHaveRoomForMissesNobody) {
    constexpr std::size_t more = 1198;
    ASSERT_NO_FATAL_FAILURE(meet());
    go_before_midnight(40 * a_minute);
    auto& store = bob.opened();
    const auto sample = bob.contact("alice").value();
    ASSERT_TRUE(store.database().execute("BEGIN"));
    for (std::size_t i = 0; i < more; ++i) {
        auto contact = sample;
        contact.id = 0;
        contact.name = "c" + std::to_string(i);
        contact.address.user = contact.name;
        ASSERT_TRUE(store.add_contact(contact));
        storage::PresenceRow row;
        row.contact = contact.id;
        row.theirs.emplace(storage::PresenceRow::Theirs{
            .key = crypto::PresenceKey{world.dice.bytes<32>()}, .day = today(), .sequence = 1});
        ASSERT_TRUE(store.put_presence(row));
    }
    ASSERT_TRUE(store.database().execute("COMMIT"));
    const Sight sight{circle.server};
    come(alice);
    come(bob, false);
    ASSERT_TRUE(sees(bob, "alice", PresenceKind::online));
    bob.forget_notices();
    world.run_for(a_minute);
    for (int i = 0; i < 12; ++i) {
        world.run_for(10 * a_minute);
        EXPECT_EQ(sight.now_watched().size(), 2048U);
    }
    EXPECT_TRUE(told(bob, "alice").empty());
    EXPECT_EQ(view(bob, "c7").kind, PresenceKind::offline);
}

}  // namespace
}  // namespace sotto::client::test
