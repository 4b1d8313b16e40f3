// Topics on the server: who may write them, who is told what, and that nothing stays. Attacks 9 and 33.
#include <set>

#include "keyserver/rig.hpp"

namespace sotto::keyserver::test {
namespace {

using Blobs = std::map<std::string, std::string>;

[[nodiscard]] std::string topic(std::string_view word) {
    std::string out{word};
    out.resize(protocol::topic_size, '.');
    return out;
}
[[nodiscard]] std::string write_key(std::string_view word) {
    return topic(word);
}
[[nodiscard]] wire::Request publish(const std::map<std::string, std::string>& blobs,
                                    std::string_view key = "mine") {
    wire::Request request;
    auto& message = *request.mutable_publish_presence();
    for (const auto& [name, blob] : blobs) {
        auto& post = *message.add_posts();
        post.set_topic(topic(name));
        post.set_write_key(write_key(key));
        post.set_blob(blob);
    }
    return request;
}
void name(auto& message, const std::vector<std::string>& names) {
    for (const auto& one : names) message.add_topics(topic(one));
}
[[nodiscard]] wire::Request watch(const std::vector<std::string>& names) {
    wire::Request request;
    name(*request.mutable_watch_presence(), names);
    return request;
}
[[nodiscard]] wire::Request unwatch(const std::vector<std::string>& names) {
    wire::Request request;
    name(*request.mutable_unwatch_presence(), names);
    return request;
}
[[nodiscard]] wire::Request withdraw(const std::vector<std::string>& names) {
    wire::Request request;
    name(*request.mutable_withdraw_presence(), names);
    return request;
}
/// What was pushed since, in order: topic and blob, none where it went.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> told(Peer& peer) {
    std::vector<std::pair<std::string, std::string>> out;
    while (const auto push = peer.push())
        for (const auto& presence : push->presences().presences())
            out.emplace_back(presence.topic(), presence.blob());
    return out;
}
using Told = std::vector<std::pair<std::string, std::string>>;

/// With one thread and with three.
class TopicsTest : public testing::TestWithParam<unsigned> {
  protected:
    TopicsTest() { use(rig); }
    static void use(Rig& rig) {
        rig.threads = GetParam();
        rig.service->presence.open(GetParam());
    }
    [[nodiscard]] std::unique_ptr<Peer> connect() { return rig.connect(Purpose::presence); }
    void leave(std::unique_ptr<Peer>& peer) {
        peer.reset();
        rig.settle();
    }
    void expect_nothing_left() {
        EXPECT_EQ(rig.service->presence.topics(), 0U);
        EXPECT_EQ(rig.service->presence.held(), 0U);
    }
    static bool published(const wire::Reply& reply) {
        return reply.has_posted() && reply.posted().refused().empty();
    }
    Rig rig;
};
INSTANTIATE_TEST_SUITE_P(Threads, TopicsTest, testing::Values(1U, 3U));

TEST_P(TopicsTest, TheServerSaysWhatTimeItIs) {
    EXPECT_EQ(static_cast<std::uint64_t>(connect()->hello().time()), rig.clock.unix_ms());
}

TEST_P(TopicsTest, WhoWatchesFirstIsToldWhenItComesChangesAndGoes) {
    auto alice = connect();
    auto bob = connect();
    EXPECT_TRUE(bob->ask(watch({"alice"})).has_done());
    EXPECT_TRUE(told(*bob).empty());
    EXPECT_TRUE(published(alice->ask(publish({{"alice", "one"}}))));
    EXPECT_TRUE(published(alice->ask(publish({{"alice", "two"}}))));
    EXPECT_TRUE(alice->ask(withdraw({"alice"})).has_done());
    EXPECT_EQ(told(*bob), (Told{{topic("alice"), "one"}, {topic("alice"), "two"}, {topic("alice"), ""}}));
    leave(alice);
    EXPECT_TRUE(told(*bob).empty()) << "it went only once";
    leave(bob);
    expect_nothing_left();
}

TEST_P(TopicsTest, WhoWatchesLaterIsToldWhatIsHeldAheadOfTheAnswer) {
    auto alice = connect();
    auto bob = connect();
    EXPECT_TRUE(published(alice->ask(publish({{"a", "1"}, {"b", "2"}, {"c", "3"}, {"d", "4"}}))));
    EXPECT_TRUE(bob->ask(watch({"a", "b", "d", "nobody"})).has_done());
    const auto all = told(*bob);
    EXPECT_EQ(std::set(all.begin(), all.end()),
              (std::set<std::pair<std::string, std::string>>{
                  {topic("a"), "1"}, {topic("b"), "2"}, {topic("d"), "4"}}));
}

TEST_P(TopicsTest, ALostConnectionIsLeaving) {
    auto alice = connect();
    auto bob = connect();
    auto carol = connect();
    EXPECT_TRUE(bob->ask(watch({"a", "b"})).has_done());
    EXPECT_TRUE(carol->ask(watch({"b"})).has_done());
    EXPECT_TRUE(published(alice->ask(publish({{"a", "1"}, {"b", "2"}}))));
    static_cast<void>(told(*bob));
    static_cast<void>(told(*carol));
    leave(alice);
    const auto gone = told(*bob);
    EXPECT_EQ(std::set(gone.begin(), gone.end()),
              (std::set<std::pair<std::string, std::string>>{{topic("a"), ""}, {topic("b"), ""}}));
    EXPECT_EQ(told(*carol), (Told{{topic("b"), ""}}));
    EXPECT_EQ(rig.service->presence.held(), 0U);
    leave(bob);
    leave(carol);
    expect_nothing_left();
}

TEST_P(TopicsTest, ATopicIsKeptFromWhoeverHasAnotherWriteKey) {
    auto alice = connect();
    auto bob = connect();
    auto mallory = connect();
    EXPECT_TRUE(bob->ask(watch({"alice"})).has_done());
    EXPECT_TRUE(published(alice->ask(publish({{"alice", "hers"}}))));
    const auto answer = mallory->ask(publish({{"a free one", "x"}, {"alice", "his"}, {"z", "y"}}, "other"));
    ASSERT_TRUE(answer.has_posted());
    ASSERT_EQ(answer.posted().refused_size(), 1);
    EXPECT_EQ(answer.posted().refused(0), 1U) << "the others are taken";
    EXPECT_TRUE(mallory->ask(withdraw({"alice"})).has_done());
    leave(mallory);
    EXPECT_EQ(told(*bob), (Told{{topic("alice"), "hers"}}));
}

TEST_P(TopicsTest, OnANewConnectionTheSameWriteKeyTakesATopicOverWithoutItsGoing) {
    auto alice = connect();
    auto bob = connect();
    EXPECT_TRUE(bob->ask(watch({"alice"})).has_done());
    EXPECT_TRUE(published(alice->ask(publish({{"alice", "before"}}))));
    auto again = connect();
    EXPECT_TRUE(published(again->ask(publish({{"alice", "after"}}))));
    leave(alice);
    EXPECT_EQ(told(*bob), (Told{{topic("alice"), "before"}, {topic("alice"), "after"}}));
    leave(again);
    EXPECT_EQ(told(*bob), (Told{{topic("alice"), ""}}));
}

TEST_P(TopicsTest, AFreedTopicIsAnybodysAgain) {
    auto alice = connect();
    auto other = connect();
    EXPECT_TRUE(published(alice->ask(publish({{"t", "1"}}))));
    EXPECT_TRUE(alice->ask(withdraw({"t"})).has_done());
    EXPECT_TRUE(published(other->ask(publish({{"t", "2"}}, "other"))));
}

TEST_P(TopicsTest, WhoStopsWatchingIsToldNothingMore) {
    auto alice = connect();
    auto bob = connect();
    auto carol = connect();
    auto dave = connect();
    for (auto* const peer : {bob.get(), carol.get(), dave.get()})
        EXPECT_TRUE(peer->ask(watch({"alice"})).has_done());
    EXPECT_TRUE(carol->ask(unwatch({"alice", "unknown"})).has_done());
    EXPECT_TRUE(published(alice->ask(publish({{"alice", "1"}}))));
    EXPECT_EQ(told(*bob).size(), 1U);
    EXPECT_TRUE(told(*carol).empty());
    EXPECT_EQ(told(*dave).size(), 1U);
    EXPECT_TRUE(bob->ask(unwatch({"alice"})).has_done());
    EXPECT_TRUE(published(alice->ask(publish({{"alice", "2"}}))));
    EXPECT_TRUE(told(*bob).empty());
    EXPECT_EQ(told(*dave).size(), 1U);
    leave(dave);
    EXPECT_TRUE(published(alice->ask(publish({{"alice", "3"}}))));
    leave(alice);
    expect_nothing_left();
}

TEST_P(TopicsTest, WatchingTwiceTellsOnce) {
    auto alice = connect();
    auto bob = connect();
    auto carol = connect();
    EXPECT_TRUE(bob->ask(watch({"alice"})).has_done());
    EXPECT_TRUE(bob->ask(watch({"alice"})).has_done());
    EXPECT_TRUE(carol->ask(watch({"alice"})).has_done());
    EXPECT_TRUE(carol->ask(watch({"alice"})).has_done());
    EXPECT_TRUE(published(alice->ask(publish({{"alice", "1"}}))));
    EXPECT_EQ(told(*bob).size(), 1U);
    EXPECT_EQ(told(*carol).size(), 1U);
}

TEST_P(TopicsTest, NobodyIsToldOfATopicThatTheyDidNotName) {
    auto alice = connect();
    auto mallory = connect();
    EXPECT_TRUE(mallory->ask(watch({"guess 1", "guess 2", "guess 3"})).has_done());
    EXPECT_TRUE(published(alice->ask(publish({{"alice for bob", "1"}}))));
    leave(alice);
    EXPECT_TRUE(told(*mallory).empty());
}

TEST_P(TopicsTest, WhatIsOutOfShapeIsRefusedWhole) {
    auto peer = connect();
    const auto malformed_post = [&](std::size_t topic_size, std::size_t key_size, std::size_t blob_size) {
        wire::Request request;
        auto& message = *request.mutable_publish_presence();
        auto& good = *message.add_posts();
        good.set_topic(topic("good"));
        good.set_write_key(write_key("mine"));
        good.set_blob("x");
        auto& post = *message.add_posts();
        post.set_topic(std::string(topic_size, 't'));
        post.set_write_key(std::string(key_size, 'k'));
        post.set_blob(std::string(blob_size, 'b'));
        return peer->ask(request);
    };
    EXPECT_EQ(code_of(malformed_post(15, 16, 1)), wire::FAILURE_MALFORMED);
    EXPECT_EQ(code_of(malformed_post(17, 16, 1)), wire::FAILURE_MALFORMED);
    EXPECT_EQ(code_of(malformed_post(16, 15, 1)), wire::FAILURE_MALFORMED);
    EXPECT_EQ(code_of(malformed_post(16, 16, 0)), wire::FAILURE_MALFORMED);
    EXPECT_EQ(code_of(malformed_post(16, 16, protocol::max_presence_blob + 1)), wire::FAILURE_MALFORMED);
    expect_nothing_left();
    EXPECT_TRUE(published(malformed_post(16, 16, protocol::max_presence_blob)));
    wire::Request twice = watch({"a", "b", "a"});
    EXPECT_EQ(code_of(peer->ask(twice)), wire::FAILURE_MALFORMED);
    EXPECT_EQ(code_of(peer->ask(watch({}))), wire::FAILURE_MALFORMED);
    EXPECT_EQ(code_of(peer->ask(publish({}))), wire::FAILURE_MALFORMED);
    EXPECT_EQ(code_of(peer->ask(unwatch({}))), wire::FAILURE_MALFORMED);
    EXPECT_EQ(code_of(peer->ask(withdraw({}))), wire::FAILURE_MALFORMED);
    wire::Request same = publish({{"s", "1"}});
    *same.mutable_publish_presence()->add_posts() = same.publish_presence().posts(0);
    EXPECT_EQ(code_of(peer->ask(same)), wire::FAILURE_MALFORMED);
}

[[nodiscard]] std::vector<std::string> many(std::size_t count, const std::string& word) {
    std::vector<std::string> out;
    for (std::size_t i = 0; i < count; ++i) out.push_back(word + std::to_string(i));
    return out;
}
[[nodiscard]] wire::Request publish_many(std::size_t count, const std::string& word) {
    std::map<std::string, std::string> blobs;
    for (const auto& one : many(count, word)) blobs[one] = "x";
    return publish(blobs);
}

TEST_P(TopicsTest, AFrameHasABound) {
    auto peer = connect();
    EXPECT_TRUE(published(peer->ask(publish_many(protocol::max_topics_per_frame, "a"))));
    EXPECT_EQ(code_of(peer->ask(publish_many(protocol::max_topics_per_frame + 1, "b"))),
              wire::FAILURE_TOO_LARGE);
    EXPECT_TRUE(peer->ask(watch(many(protocol::max_topics_per_frame, "a"))).has_done());
    EXPECT_EQ(told(*peer).size(), protocol::max_topics_per_frame);
    EXPECT_EQ(code_of(peer->ask(watch(many(protocol::max_topics_per_frame + 1, "b")))),
              wire::FAILURE_TOO_LARGE);
    leave(peer);
    expect_nothing_left();
}

[[nodiscard]] Policy with(Limits limits) {
    return {.server_name = "chat.example",
            .registration = Registration::open,
            .unbound = false,
            .limits = limits};
}

TEST_P(TopicsTest, AConnectionHasABoundOfEachKind) {
    Limits limits;
    limits.presence_per_connection = 20;
    Rig narrow{with(limits)};
    use(narrow);
    const auto peer = narrow.connect(Purpose::presence);
    EXPECT_TRUE(published(peer->ask(publish_many(20, "a"))));
    EXPECT_TRUE(published(peer->ask(publish_many(20, "a")))) << "the same ones again";
    EXPECT_EQ(code_of(peer->ask(publish_many(1, "b"))), wire::FAILURE_TOO_LARGE);
    EXPECT_TRUE(peer->ask(watch(many(20, "c"))).has_done());
    EXPECT_EQ(code_of(peer->ask(watch(many(1, "d")))), wire::FAILURE_TOO_LARGE);
    EXPECT_TRUE(peer->ask(withdraw(many(1, "a"))).has_done());
    EXPECT_TRUE(published(peer->ask(publish_many(1, "b"))));
    EXPECT_TRUE(peer->ask(unwatch(many(1, "c"))).has_done());
    EXPECT_TRUE(peer->ask(watch(many(1, "d"))).has_done());
}

TEST_P(TopicsTest, TheServerHasABoundInAll) {
    Limits limits;
    limits.presence_topics = 30 * GetParam();
    Rig narrow{with(limits)};
    use(narrow);
    const auto peer = narrow.connect(Purpose::presence);
    const auto answer = peer->ask(publish_many(200, "a"));
    ASSERT_TRUE(answer.has_posted());
    EXPECT_EQ(200 - answer.posted().refused_size(), static_cast<int>(limits.presence_topics));
    const auto refused = peer->ask(watch(many(200, "b")));
    EXPECT_EQ(code_of(refused), wire::FAILURE_RATE);
    EXPECT_GT(refused.failure().retry_after_ms(), 0U);
    EXPECT_GT(narrow.service->counters.count(Count::limit_topics), 0U);
    peer->hang_up();
    narrow.settle();
    EXPECT_EQ(narrow.service->presence.topics(), 0U);
}

TEST_P(TopicsTest, ATopicHasABoundOfWatchers) {
    Limits limits;
    limits.presence_watchers = 3;
    Rig narrow{with(limits)};
    use(narrow);
    std::vector<std::unique_ptr<Peer>> watchers;
    for (int i = 0; i < 3; ++i) {
        watchers.push_back(narrow.connect(Purpose::presence));
        EXPECT_TRUE(watchers.back()->ask(watch({"t"})).has_done());
    }
    auto late = narrow.connect(Purpose::presence);
    // Whoever filled it has not taken their other topics from anybody.
    EXPECT_TRUE(late->ask(watch({"t", "u"})).has_done());
    EXPECT_EQ(narrow.service->counters.count(Count::limit_topics), 1U);
    const auto carol = narrow.connect(Purpose::presence);
    EXPECT_TRUE(published(carol->ask(publish({{"t", "0"}, {"u", "0"}}))));
    EXPECT_EQ(told(*late).size(), 1U) << "of the other one";
    carol->hang_up();
    narrow.settle();
    EXPECT_EQ(told(*late).size(), 1U);
    EXPECT_TRUE(late->ask(unwatch({"t"})).has_done());
    watchers.front()->hang_up();
    narrow.settle();
    EXPECT_TRUE(late->ask(watch({"t"})).has_done());
    const auto alice = narrow.connect(Purpose::presence);
    EXPECT_TRUE(published(alice->ask(publish({{"t", "1"}}))));
    EXPECT_EQ(told(*late).size(), 1U);
}

TEST_P(TopicsTest, APostIsToldToTheDevicesOfOneContactAndNotToACrowd) {
    constexpr std::size_t bound = 2 * crypto::max_devices;
    std::vector<std::unique_ptr<Peer>> watchers;
    for (std::size_t i = 0; i < bound; ++i) {
        watchers.push_back(connect());
        EXPECT_TRUE(watchers.back()->ask(watch({"t"})).has_done()) << i;
    }
    auto one_more = connect();
    EXPECT_TRUE(one_more->ask(watch({"t"})).has_done());
    auto alice = connect();
    EXPECT_TRUE(published(alice->ask(publish({{"t", "1"}}))));
    EXPECT_EQ(rig.service->counters.count(Count::presence_pushed), bound);
    EXPECT_TRUE(told(*one_more).empty());
    for (auto& watcher : watchers) EXPECT_EQ(told(*watcher), (Told{{topic("t"), "1"}}));
    leave(alice);
    EXPECT_EQ(rig.service->counters.count(Count::presence_pushed), 2 * bound);
}

TEST_P(TopicsTest, TopicsAreCountedAgainstARate) {
    Limits limits;
    limits.presence_burst = 1024;
    limits.presence_per_second = 10;
    Rig slow{with(limits)};
    use(slow);
    const auto peer = slow.connect(Purpose::presence);
    EXPECT_TRUE(published(peer->ask(publish_many(1000, "a"))));
    const auto refused = peer->ask(watch(many(100, "b")));
    EXPECT_EQ(code_of(refused), wire::FAILURE_RATE);
    EXPECT_GE(refused.failure().retry_after_ms(), 7'000U);
    slow.pass(refused.failure().retry_after_ms());
    EXPECT_TRUE(peer->ask(watch(many(100, "b"))).has_done());
    EXPECT_FALSE(peer->closed());
}

TEST_P(TopicsTest, IsForItsOwnConnectionsAloneAndTheyForNothingElse) {
    const TestDevice bob{"bob"};
    const auto identified = rig.registered(bob);
    const auto delivery = rig.connect(Purpose::delivery);
    for (auto* const peer : {identified.get(), delivery.get()}) {
        EXPECT_EQ(code_of(peer->ask(publish({{"a", "1"}}))), wire::FAILURE_NOT_LOGGED_IN);
        EXPECT_EQ(code_of(peer->ask(watch({"a"}))), wire::FAILURE_NOT_LOGGED_IN);
        EXPECT_EQ(code_of(peer->ask(unwatch({"a"}))), wire::FAILURE_NOT_LOGGED_IN);
        EXPECT_EQ(code_of(peer->ask(withdraw({"a"}))), wire::FAILURE_NOT_LOGGED_IN);
    }
    const auto peer = connect();
    EXPECT_EQ(code_of(peer->ask(fetch_records_request("bob", "token"))), wire::FAILURE_NOT_LOGGED_IN);
    EXPECT_EQ(code_of(peer->ask(login_request(bob, std::string(64, 'p')))), wire::FAILURE_NOT_LOGGED_IN);
    wire::Request ping;
    ping.mutable_ping();
    EXPECT_TRUE(peer->ask(ping).has_done());
}

TEST_P(TopicsTest, NothingOfItReachesTheStore) {
    auto alice = connect();
    auto bob = connect();
    EXPECT_TRUE(bob->ask(watch({"alice"})).has_done());
    alice->send(publish({{"alice", "1"}}));
    EXPECT_EQ(rig.queue.waiting(), 0U);
    rig.settle();
    EXPECT_EQ(told(*bob).size(), 1U);
}

TEST_P(TopicsTest, ManyPeopleComeAndGoAndNothingIsLeft) {
    constexpr std::size_t people = 24;
    std::vector<std::unique_ptr<Peer>> all;
    const auto pair = [](std::size_t from, std::size_t to) {
        return std::to_string(from) + ">" + std::to_string(to);
    };
    for (std::size_t me = 0; me < people; ++me) {
        all.push_back(connect());
        std::map<std::string, std::string> blobs;
        std::vector<std::string> names;
        for (std::size_t other = 0; other < people; ++other) {
            if (other == me) continue;
            blobs[pair(me, other)] = "on";
            names.push_back(pair(other, me));
        }
        EXPECT_TRUE(all.back()->ask(watch(names)).has_done());
        EXPECT_TRUE(published(all.back()->ask(publish(blobs, std::to_string(me)))));
    }
    EXPECT_EQ(rig.service->presence.held(), people * (people - 1));
    for (std::size_t me = 0; me < people; ++me) {
        Blobs seen;
        for (const auto& [name, blob] : told(*all[me])) seen[name] = blob;
        EXPECT_EQ(seen.size(), people - 1);
    }
    for (std::size_t me = 0; me + 1 < people; ++me) {
        leave(all[me]);
        EXPECT_EQ(told(*all.back()), (Told{{topic(pair(me, people - 1)), ""}}));
    }
    leave(all.back());
    expect_nothing_left();
}

}  // namespace
}  // namespace sotto::keyserver::test
