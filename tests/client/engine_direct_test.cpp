// Direct sessions: who gets one, what goes over it, and what happens when it dies. Attacks 1 and 34.
#include <gtest/gtest.h>

#include <algorithm>

#include "client/circle.hpp"

namespace sotto::client::test {
namespace {

using storage::DirectChoice;
using storage::MessageState;

class DirectTest : public testing::Test {
  protected:
    void SetUp() override { ASSERT_NO_FATAL_FAILURE(circle.befriend()); }

    static std::int64_t id(Client& client, const std::string& name) { return client.contact(name)->id; }
    static DirectView view(Client& client, const std::string& name) {
        return client.engine().direct(id(client, name));
    }
    static bool direct(Client& client, const std::string& name) {
        return view(client, name).state == DirectState::direct;
    }
    void online(Client& client) {
        client.apply([&] { return client.engine().go_online(true, world.clock.wall()); });
        client.apply([&] { return client.engine().go_direct(world.clock.wall()); });
    }
    void policy(Client& client, DirectPolicy policy) {
        client.apply([&] { return client.engine().set_direct_policy(policy, world.clock.wall()).value(); });
    }
    void choose(Client& client, const std::string& name, DirectChoice choice) {
        client.apply(
            [&] { return client.engine().set_direct(id(client, name), choice, world.clock.wall()).value(); });
    }
    std::optional<Error> ask(Client& client, const std::string& name) {
        std::optional<Error> error;
        client.apply([&] {
            auto out = client.engine().try_direct(id(client, name), world.clock.wall());
            if (out) return std::move(*out);
            error = out.error();
            return Output{};
        });
        return error;
    }
    /// Alice and Bob see each other, and may have a direct session.
    void meet(DirectPolicy with = DirectPolicy::contacts) {
        for (auto* client : {&alice, &bob}) {
            online(*client);
            policy(*client, with);
        }
        ASSERT_TRUE(world.run([&] {
            return alice.engine().presence(id(alice, "bob")).kind == PresenceKind::online &&
                   bob.engine().presence(id(bob, "alice")).kind == PresenceKind::online;
        }));
        ASSERT_TRUE(world.settle());
        world.run_for(2000);
    }
    bool both_direct(std::int64_t limit = 10'000) {
        return world.run([&] { return direct(alice, "bob") && direct(bob, "alice"); }, limit);
    }
    /// … and have one.
    void go_direct() {
        ASSERT_NO_FATAL_FAILURE(meet());
        const auto first = alice.send("bob", "first");
        ASSERT_TRUE(both_direct());
        ASSERT_TRUE(delivered(alice, "bob", first));
        ASSERT_TRUE(world.settle());
    }
    bool delivered(Client& client, const std::string& to, const storage::MessageId& message,
                   std::int64_t limit = 60'000) {
        return world.run([&] { return client.state_of(to, message) == MessageState::delivered; }, limit);
    }
    /// What was said since they became contacts.
    static std::vector<std::string> heard(Client& client, const std::string& from) {
        auto out = client.heard(from);
        std::erase(out, "hi");
        return out;
    }
    /// Every text once and in order.
    static void expect_heard(Client& client, const std::string& from, const std::vector<std::string>& texts) {
        EXPECT_EQ(heard(client, from), texts);
    }

    Circle circle{5};
    World& world = circle.world;
    Client& alice = circle.alice;
    Client& bob = circle.bob;
    Client& carol = circle.carol;
};

TEST_F(DirectTest, TheFirstMessageMakesAPathAndTheNextOnesGoOverIt) {
    ASSERT_NO_FATAL_FAILURE(go_direct());
    EXPECT_EQ(view(alice, "bob").kind, PathKind::tcp);
    EXPECT_EQ(world.paths.open(), 1U) << "of the streams that came about one is kept";
    const auto before = world.paths.bytes;
    const auto there = alice.send("bob", "straight");
    ASSERT_TRUE(delivered(alice, "bob", there));
    const auto back = bob.send("alice", "and back");
    ASSERT_TRUE(delivered(bob, "alice", back));
    EXPECT_GT(world.paths.bytes, before + 1000);
    expect_heard(bob, "alice", {"first", "straight"});
    expect_heard(alice, "bob", {"and back"});
}

TEST_F(DirectTest, GoesOnWithoutTheServer) {
    ASSERT_NO_FATAL_FAILURE(go_direct());
    world.kill(circle.server);
    world.run_for(1000);
    for (int i = 0; i < 5; ++i) {
        const auto sent = bob.send("alice", std::to_string(i));
        ASSERT_TRUE(delivered(bob, "alice", sent, 5000)) << i;
    }
    expect_heard(alice, "bob", {"0", "1", "2", "3", "4"});
}

TEST_F(DirectTest, BothWritingAtOnceMakeOnePath) {
    for (std::uint64_t round = 0; round < 4; ++round) {
        Circle other{20 + round};
        ASSERT_NO_FATAL_FAILURE(other.befriend());
        auto& w = other.world;
        for (auto* client : {&other.alice, &other.bob}) {
            client->apply([&] { return client->engine().go_online(true, w.clock.wall()); });
            client->apply([&] { return client->engine().go_direct(w.clock.wall()); });
            client->apply([&] {
                return client->engine().set_direct_policy(DirectPolicy::contacts, w.clock.wall()).value();
            });
        }
        ASSERT_TRUE(w.run([&] {
            return other.alice.engine().presence(id(other.alice, "bob")).capabilities == 1 &&
                   other.bob.engine().presence(id(other.bob, "alice")).capabilities == 1;
        }));
        other.alice.send("bob", "a");
        other.bob.send("alice", "b");
        ASSERT_TRUE(w.run([&] { return direct(other.alice, "bob") && direct(other.bob, "alice"); }, 10'000));
        w.run_for(5000);
        EXPECT_EQ(w.paths.open(), 1U);
        EXPECT_TRUE(direct(other.alice, "bob") && direct(other.bob, "alice")) << "and it stays";
    }
}

TEST_F(DirectTest, APathThatBreaksLosesAndRepeatsNothing) {
    ASSERT_NO_FATAL_FAILURE(go_direct());
    std::vector<std::string> texts{"first"};
    std::vector<storage::MessageId> ids;
    for (int i = 0; i < 40; ++i) {
        texts.push_back("text " + std::to_string(i));
        ids.push_back(alice.send("bob", texts.back()));
        if (i % 10 == 3) world.run_for(25);
        if (i % 10 == 5) world.paths.cut();
    }
    for (const auto& message : ids) ASSERT_TRUE(delivered(alice, "bob", message));
    ASSERT_TRUE(world.settle());
    auto got = heard(bob, "alice");
    std::ranges::sort(got);
    std::ranges::sort(texts);
    EXPECT_EQ(got, texts) << "each once";
    alice.send("bob", "again");
    EXPECT_TRUE(both_direct(60'000)) << "and it comes back";
}

TEST_F(DirectTest, APathThatFallsSilentIsLeftWithinSeconds) {
    ASSERT_NO_FATAL_FAILURE(go_direct());
    world.paths.cut(true);
    const auto sent = alice.send("bob", "into the void");
    EXPECT_TRUE(world.run([&] { return heard(bob, "alice").size() == 2; }, 5000));
    // Bob's own client finds out by its acknowledgement.
    EXPECT_TRUE(delivered(alice, "bob", sent, 10'000));
    expect_heard(bob, "alice", {"first", "into the void"});
}

TEST_F(DirectTest, APathThatCarriesNothingIsNotTriedAgainAndAgain) {
    ASSERT_NO_FATAL_FAILURE(go_direct());
    // Paths come about, and what is said on them vanishes.
    world.paths.alter = [](Bytes& bytes) {
        if (bytes.size() > 200) bytes.resize(100);
    };
    for (int i = 0; i < 20; ++i) {
        ASSERT_TRUE(delivered(alice, "bob", alice.send("bob", std::to_string(i)), 20'000)) << i;
        world.run_for(5000);
    }
    EXPECT_LE(world.paths.gathered, 12U) << "of two sides, in nearly two minutes";
    EXPECT_EQ(heard(bob, "alice").size(), 21U);
}

TEST_F(DirectTest, APathEndsWhenAnotherKeyAppears) {
    ASSERT_NO_FATAL_FAILURE(go_direct());
    auto contact = *alice.contact("bob");
    contact.state = storage::ContactState::changed;
    ASSERT_TRUE(alice.store().update_contact(contact));
    // Whatever happens next at the server makes the client look.
    ASSERT_TRUE(delivered(carol, "alice", carol.send("alice", "by the way")));
    world.run_for(2000);
    EXPECT_FALSE(direct(alice, "bob"));
}

TEST_F(DirectTest, ASilentPathIsFoundOutWithoutAMessage) {
    ASSERT_NO_FATAL_FAILURE(go_direct());
    world.paths.cut(true);
    EXPECT_TRUE(world.run([&] { return !direct(alice, "bob") && !direct(bob, "alice"); }, 60'000));
}

TEST_F(DirectTest, HeartbeatsKeepAPathAndIdlenessEndsIt) {
    ASSERT_NO_FATAL_FAILURE(go_direct());
    const auto before = world.paths.bytes;
    world.run_for(8L * 60 * 1000);
    EXPECT_TRUE(direct(alice, "bob"));
    EXPECT_GT(world.paths.bytes, before);
    world.run_for(3L * 60 * 1000);
    EXPECT_FALSE(direct(alice, "bob"));
    EXPECT_FALSE(direct(bob, "alice"));
    EXPECT_EQ(world.paths.open(), 0U);
}

TEST_F(DirectTest, LeavingIsSeenAtOnce) {
    ASSERT_NO_FATAL_FAILURE(go_direct());
    bob.stop();
    EXPECT_TRUE(world.run([&] { return !direct(alice, "bob"); }, 1000));
    const auto sent = alice.send("bob", "for later");
    ASSERT_TRUE(world.run([&] { return alice.state_of("bob", sent) == MessageState::stored; }));
    bob.start();
    EXPECT_TRUE(delivered(alice, "bob", sent));
    expect_heard(bob, "alice", {"first", "for later"});
}

TEST_F(DirectTest, ACrashOfEitherSideLosesNothing) {
    ASSERT_NO_FATAL_FAILURE(go_direct());
    std::vector<storage::MessageId> ids;
    for (int i = 0; i < 10; ++i) ids.push_back(alice.send("bob", std::to_string(i)));
    world.run_for(25);
    bob.crash();
    world.run_for(500);
    bob.start();
    for (const auto& message : ids) ASSERT_TRUE(delivered(alice, "bob", message)) << "after Bob's";
    ids.clear();
    ids.push_back(alice.send("bob", "more"));
    alice.crash();
    alice.start();
    ASSERT_TRUE(delivered(alice, "bob", ids.front()));
    expect_heard(bob, "alice", {"first", "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "more"});
}

TEST_F(DirectTest, WhatCantBeReachedGoesByTheServer) {
    world.paths.reachable = false;
    ASSERT_NO_FATAL_FAILURE(meet());
    const auto sent = alice.send("bob", "relayed");
    ASSERT_TRUE(delivered(alice, "bob", sent));
    ASSERT_TRUE(world.run([&] { return view(alice, "bob").state == DirectState::relayed; }, 60'000));
    const auto tries = world.paths.gathered;
    for (int i = 0; i < 10; ++i) {
        ASSERT_TRUE(delivered(alice, "bob", alice.send("bob", std::to_string(i))));
        world.run_for(1000);
    }
    EXPECT_LE(world.paths.gathered, tries + 2) << "not tried again at each message";
}

TEST_F(DirectTest, TheServersOfferOfStunAndTurnIsUsed) {
    circle.server.change_policy([](keyserver::Policy& policy) {
        keyserver::IceOffer offer;
        offer.servers = {{.kind = keyserver::IceServer::Kind::stun, .host = "turn.example", .port = 3478},
                         {.kind = keyserver::IceServer::Kind::turn_tcp, .host = "turn.example", .port = 443}};
        offer.lifetime_s = 7200;
        offer.password = [](std::string_view username) { return "for-" + std::string{username}; };
        policy.ice = std::make_shared<const keyserver::IceOffer>(std::move(offer));
    });
    ASSERT_NO_FATAL_FAILURE(go_direct());
    const auto settings = world.paths.last_settings;
    ASSERT_EQ(settings.servers.size(), 2U);
    EXPECT_EQ(settings.servers[0].kind, IceServer::Kind::stun);
    EXPECT_EQ(settings.servers[1].kind, IceServer::Kind::turn_tcp);
    EXPECT_EQ(settings.servers[1].password, "for-" + settings.servers[1].username);
    EXPECT_FALSE(settings.loopback) << "the server is somewhere else";
    EXPECT_FALSE(settings.upnp);
    // Passwords end: new ones are there in time.
    world.run_for(2L * 60 * 60 * 1000);
    ASSERT_FALSE(ask(alice, "bob"));
    ASSERT_TRUE(both_direct());
    EXPECT_NE(world.paths.last_settings.servers[1].username, settings.servers[1].username);
}

TEST_F(DirectTest, NoDescriptionIsNoOffer) {
    world.paths.describes = false;
    ASSERT_NO_FATAL_FAILURE(meet());
    ASSERT_TRUE(delivered(alice, "bob", alice.send("bob", "relayed")));
    world.run_for(30'000);
    EXPECT_EQ(world.paths.tried, 0U);
    EXPECT_EQ(view(alice, "bob").state, DirectState::relayed);
}

// ---- who may: attack 34 ----

TEST_F(DirectTest, OnlyVerifiedContactsUnlessThePersonSaysOtherwise) {
    EXPECT_EQ(alice.engine().direct_policy().value(), DirectPolicy::verified);
    ASSERT_NO_FATAL_FAILURE(meet(DirectPolicy::verified));
    for (auto* client : {&alice, &bob}) {
        const auto* const name = client == &alice ? "bob" : "alice";
        auto contact = *client->contact(name);
        contact.verified = storage::Verified::no;
        ASSERT_TRUE(client->store().update_contact(contact));
    }
    const auto refused = ask(alice, "bob");
    ASSERT_TRUE(refused);
    EXPECT_EQ(refused->exit, Exit::input);
    EXPECT_NE(refused->sentence.find("verify"), std::string::npos);
    ASSERT_TRUE(delivered(alice, "bob", alice.send("bob", "relayed")));
    world.run_for(30'000);
    EXPECT_EQ(world.paths.gathered, 0U);
}

TEST_F(DirectTest, AnOfferOfWhoIsNotAllowedGetsNoAnswerAndNoPacket) {
    ASSERT_NO_FATAL_FAILURE(meet());
    choose(bob, "alice", DirectChoice::never);
    world.run_for(2000);
    ASSERT_FALSE(ask(alice, "bob"));
    ASSERT_TRUE(world.settle());
    world.run_for(60'000);
    EXPECT_EQ(world.paths.gathered, 1U) << "Alice's own";
    EXPECT_EQ(world.paths.tried, 0U);
    EXPECT_EQ(world.paths.bytes, 0U);
    EXPECT_EQ(view(alice, "bob").state, DirectState::relayed);
    EXPECT_TRUE(bob.warnings().empty());
    EXPECT_TRUE(heard(bob, "alice").empty()) << "and nothing is shown of it";
}

TEST_F(DirectTest, WithThePolicyOffNothingHappens) {
    ASSERT_NO_FATAL_FAILURE(meet());
    policy(bob, DirectPolicy::off);
    world.run_for(3000);
    EXPECT_EQ(alice.engine().presence(id(alice, "bob")).capabilities, 0);
    ASSERT_TRUE(delivered(alice, "bob", alice.send("bob", "a")));
    ASSERT_TRUE(delivered(bob, "alice", bob.send("alice", "b")));
    world.run_for(30'000);
    EXPECT_EQ(world.paths.gathered, 0U) << "Alice sees that Bob takes none";
    choose(bob, "alice", DirectChoice::always);
    world.run_for(3000);
    EXPECT_EQ(alice.engine().presence(id(alice, "bob")).capabilities, 1) << "one contact may all the same";
}

TEST_F(DirectTest, APathEndsWithThePermission) {
    ASSERT_NO_FATAL_FAILURE(go_direct());
    choose(bob, "alice", DirectChoice::never);
    EXPECT_FALSE(direct(bob, "alice"));
    EXPECT_TRUE(world.run([&] { return !direct(alice, "bob"); }, 1000));
    ASSERT_TRUE(delivered(alice, "bob", alice.send("bob", "by the server")));
    expect_heard(bob, "alice", {"first", "by the server"});
}

TEST_F(DirectTest, APathEndsWithBlocking) {
    ASSERT_NO_FATAL_FAILURE(go_direct());
    ASSERT_FALSE(bob.block("alice"));
    EXPECT_FALSE(direct(bob, "alice"));
    EXPECT_TRUE(world.run([&] { return !direct(alice, "bob"); }, 1000));
    alice.send("bob", "not taken in");
    world.run_for(10'000);
    expect_heard(bob, "alice", {"first"});
}

TEST_F(DirectTest, AnOfferThatWaitedInTheMailboxIsNotAnswered) {
    ASSERT_NO_FATAL_FAILURE(meet());
    bob.stop();
    world.run_for(100);
    ASSERT_FALSE(ask(alice, "bob"));
    world.run_for(60'000);
    bob.start();
    online(bob);
    world.run_for(10'000);
    EXPECT_EQ(world.paths.gathered, 1U) << "Alice's own";
}

// ---- who listens in, and who interferes ----

TEST_F(DirectTest, AStrangerWhoConnectsGetsNothingAndHindersNobody) {
    ASSERT_NO_FATAL_FAILURE(meet());
    alice.send("bob", "first");
    ASSERT_TRUE(world.run([&] { return world.paths.gathered > 0; }));
    for (int i = 0; i < 6; ++i) world.paths.stranger(alice, Bytes(64, std::byte{7}));
    EXPECT_TRUE(both_direct());
}

TEST_F(DirectTest, WhatIsAlteredOnItsWayEndsThePathAndGoesByTheServer) {
    ASSERT_NO_FATAL_FAILURE(go_direct());
    world.paths.alter = [](Bytes& bytes) { bytes.back() ^= std::byte{1}; };
    ASSERT_TRUE(delivered(alice, "bob", alice.send("bob", "not to be altered")));
    expect_heard(bob, "alice", {"first", "not to be altered"});
}

TEST_F(DirectTest, NothingReadableIsOnThePath) {
    world.paths.tap = true;
    ASSERT_NO_FATAL_FAILURE(go_direct());
    ASSERT_TRUE(delivered(alice, "bob", alice.send("bob", "a word that nobody else may read")));
    for (const auto& sent : world.paths.taps) {
        const auto text = chars_of(sent);
        for (const auto* const word : {"nobody", "alice", "bob", "example"})
            EXPECT_EQ(text.find(word), std::string_view::npos) << word;
    }
}

TEST_F(DirectTest, SeveralPathsAtOnceGoToTheRightPeople) {
    ASSERT_NO_FATAL_FAILURE(meet());
    online(carol);
    policy(carol, DirectPolicy::contacts);
    ASSERT_TRUE(world.run([&] { return alice.engine().presence(id(alice, "carol")).capabilities == 1; }));
    alice.send("bob", "for bob");
    alice.send("carol", "for carol");
    ASSERT_TRUE(world.run([&] { return direct(alice, "bob") && direct(alice, "carol"); }, 10'000));
    ASSERT_TRUE(delivered(alice, "bob", alice.send("bob", "bob again")));
    ASSERT_TRUE(delivered(alice, "carol", alice.send("carol", "carol again")));
    expect_heard(bob, "alice", {"for bob", "bob again"});
    expect_heard(carol, "alice", {"for carol", "carol again"});
}

// ---- what was said of a path is good at once or not at all ----

TEST_F(DirectTest, AnAnswerThatHasNotLeftDoesNotLeaveAfterThePermission) {
    ASSERT_NO_FATAL_FAILURE(meet());
    ASSERT_FALSE(ask(alice, "bob"));
    ASSERT_TRUE(world.run([&] { return view(bob, "alice").state == DirectState::connecting; }));
    world.kill(circle.server);
    ASSERT_TRUE(world.run([&] { return world.paths.gathered == 2; }));
    EXPECT_EQ(take(bob.store().outbox_ids(id(bob, "alice"))).size(), 1U) << "the answer waits";
    const auto tried = world.paths.tried;
    choose(bob, "alice", DirectChoice::never);
    EXPECT_TRUE(take(bob.store().outbox_ids(id(bob, "alice"))).empty());
    circle.server.restart();
    world.run_for(60'000);
    EXPECT_EQ(world.paths.tried, tried) << "no more than Bob himself, while he allowed it";
}

TEST_F(DirectTest, AnOfferOrAnswerOfAnEarlierRunDoesNotLeave) {
    ASSERT_NO_FATAL_FAILURE(meet());
    ASSERT_FALSE(ask(alice, "bob"));
    ASSERT_TRUE(world.run([&] { return view(bob, "alice").state == DirectState::connecting; }));
    world.kill(circle.server);
    ASSERT_TRUE(world.run([&] { return world.paths.gathered == 2; }));
    ASSERT_EQ(take(bob.store().outbox_ids(id(bob, "alice"))).size(), 1U);
    bob.crash();
    bob.start();
    EXPECT_TRUE(take(bob.store().outbox_ids(id(bob, "alice"))).empty());
}

TEST_F(DirectTest, AnOfferThatNeverCameIsNotMissed) {
    ASSERT_NO_FATAL_FAILURE(meet());
    world.kill(circle.server);
    ASSERT_FALSE(ask(alice, "bob"));
    world.run_for(30'000);
    EXPECT_EQ(view(alice, "bob").state, DirectState::relayed);
    circle.server.restart();
    bob.forget_notices();
    ASSERT_TRUE(delivered(alice, "bob", alice.send("bob", "after it")));
    const auto arrived = bob.notices<MessageArrived>();
    ASSERT_EQ(arrived.size(), 1U);
    EXPECT_EQ(arrived.front().missing, 0U);
}

TEST_F(DirectTest, WhoHasJustLeftIsNotOfferedAPath) {
    ASSERT_NO_FATAL_FAILURE(go_direct());
    const auto before = world.paths.gathered;
    bob.stop();
    ASSERT_TRUE(world.run([&] { return !direct(alice, "bob"); }, 1000));
    alice.send("bob", "too late");
    world.run_for(20'000);
    EXPECT_EQ(world.paths.gathered, before);
}

TEST_F(DirectTest, ASlowLineIsNoDeadPath) {
    ASSERT_NO_FATAL_FAILURE(go_direct());
    world.paths.bytes_a_second = 16'000;
    std::vector<storage::MessageId> ids;
    std::vector<std::string> texts{"first"};
    for (int i = 0; i < 20; ++i) {
        texts.push_back(std::string(8000, 'x') + std::to_string(i));
        ids.push_back(alice.send("bob", texts.back()));
    }
    const auto begun = world.clock.now;
    ASSERT_TRUE(world.run([&] { return heard(bob, "alice").size() == 21; }, 20'000));
    EXPECT_GT(world.clock.now, begun + 8000) << "longer than a dead path is waited for";
    EXPECT_TRUE(direct(alice, "bob"));
    expect_heard(bob, "alice", texts);
}

TEST_F(DirectTest, WhatDoesNotOpenEndsThePathAndIsNotKept) {
    ASSERT_NO_FATAL_FAILURE(go_direct());
    world.kill(circle.server);
    world.run_for(1000);
    // More than may be on its way at once; the last one is made something that nobody can open.
    std::vector<storage::MessageId> ids;
    for (int i = 0; i < 40; ++i) ids.push_back(alice.send("bob", std::to_string(i)));
    auto item = take(alice.store().outbox_item(id(alice, "bob"), ids.back()));
    ASSERT_TRUE(item && !item->envelope_id) << "not sealed yet";
    item->envelope_id = storage::EnvelopeId{std::byte{9}};
    item->envelope = Bytes(480, std::byte{0x12});
    item->device = take(alice.store().sessions_of(id(alice, "bob"))).front().device;
    ASSERT_TRUE(alice.store().update_outbox(*item));
    ASSERT_TRUE(world.run([&] { return heard(bob, "alice").size() == 40; }, 20'000)) << "all but that one";
    EXPECT_TRUE(world.run([&] { return !direct(alice, "bob") && !direct(bob, "alice"); }, 10'000));
    EXPECT_TRUE(take(bob.store().quarantined()).empty()) << "by the server there are limits";
    circle.server.restart();
    EXPECT_TRUE(world.run([&] { return take(bob.store().quarantined()).size() == 1; }, 600'000));
}

TEST_F(DirectTest, UnderChaosEveryMessageIsShownOnce) {
    ASSERT_NO_FATAL_FAILURE(go_direct());
    world.faults.cut = 30;
    world.faults.duplicate = 300;
    std::vector<std::string> from_alice{"first"};
    std::vector<std::string> from_bob;
    for (int i = 0; i < 150; ++i) {
        from_alice.push_back("a" + std::to_string(i));
        alice.send("bob", from_alice.back());
        from_bob.push_back("b" + std::to_string(i));
        bob.send("alice", from_bob.back());
        world.run_for(static_cast<std::int64_t>(world.dice.below(400)));
        const auto what = world.dice.below(20);
        if (what == 0) world.paths.cut();
        if (what == 1) world.paths.cut(true);
        if (what == 2) world.paths.reachable = !world.paths.reachable;
    }
    world.faults.cut = 0;
    const auto all = [&](Client& client, const std::string& from, std::vector<std::string> texts) {
        auto got = heard(client, from);
        std::ranges::sort(got);
        std::ranges::sort(texts);
        return got == texts;
    };
    EXPECT_TRUE(
        world.run([&] { return all(bob, "alice", from_alice) && all(alice, "bob", from_bob); }, 600'000));
    world.run_for(10'000);
    EXPECT_TRUE(all(bob, "alice", from_alice) && all(alice, "bob", from_bob)) << "and none twice";
}

}  // namespace
}  // namespace sotto::client::test
