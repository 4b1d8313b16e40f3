// Presence over real connections, with the topics spread over the server's threads.
#include <map>
#include <set>

#include "keyserver_net/node_fixture.hpp"

namespace sotto::keyserver::test {
namespace {

[[nodiscard]] std::string topic(std::size_t number) {
    auto out = "topic " + std::to_string(number);
    out.resize(protocol::topic_size, '.');
    return out;
}
[[nodiscard]] wire::Request publish(std::size_t first, std::size_t count, const std::string& blob,
                                    char key = 'k') {
    wire::Request request;
    for (std::size_t i = first; i < first + count; ++i) {
        auto& post = *request.mutable_publish_presence()->add_posts();
        post.set_topic(topic(i));
        post.set_write_key(std::string(protocol::topic_write_key_size, key));
        post.set_blob(blob);
    }
    return request;
}
[[nodiscard]] wire::Request watch(std::size_t first, std::size_t count) {
    wire::Request request;
    for (std::size_t i = first; i < first + count; ++i)
        request.mutable_watch_presence()->add_topics(topic(i));
    return request;
}

class PresenceNetTest : public NodeTest {
  protected:
    PresenceNetTest() : NodeTest(3) {}
    /// As an operator does it who wants this.
    void allow_watchers(std::size_t of_one_topic) {
        stop();
        config.limits.presence_watchers = of_one_topic;
        start();
    }
    /// Waits until it was told of so many topics; what it was told last of each.
    static std::map<std::string, std::string> told(TlsPeer& peer, std::size_t count) {
        std::map<std::string, std::string> out;
        while (out.size() < count) {
            const auto push = peer.push();
            if (!push) break;
            for (const auto& presence : push->presences().presences())
                out[presence.topic()] = presence.blob();
        }
        return out;
    }
    [[nodiscard]] TlsPeer connect_presence() const { return connect(protocol::presence_target); }
};

TEST_F(PresenceNetTest, EveryoneIsToldWhateverThreadTheyAreOn) {
    constexpr std::size_t topics = 40;
    auto alice = connect_presence();
    std::vector<TlsPeer> watchers;
    for (int i = 0; i < 9; ++i) {
        watchers.push_back(connect_presence());
        EXPECT_TRUE(watchers.back().ask(watch(0, topics)).has_done());
    }
    const auto posted = alice.ask(publish(0, topics, "here"));
    ASSERT_TRUE(posted.has_posted());
    EXPECT_EQ(posted.posted().refused_size(), 0);
    for (auto& watcher : watchers) {
        const auto all = told(watcher, topics);
        EXPECT_EQ(all.size(), topics);
        for (const auto& [name, blob] : all) EXPECT_EQ(blob, "here");
    }
    auto late = connect_presence();
    EXPECT_TRUE(late.ask(watch(0, topics)).has_done());
    EXPECT_EQ(told(late, topics).size(), topics);

    alice.cut();
    for (auto& watcher : watchers) {
        const auto all = told(watcher, topics);
        EXPECT_EQ(all.size(), topics) << "told that she has gone";
        for (const auto& [name, blob] : all) EXPECT_EQ(blob, "");
    }
}

TEST_F(PresenceNetTest, AReconnectIsSeenAsAChangeAndNotAsGoing) {
    auto bob = connect_presence();
    EXPECT_TRUE(bob.ask(watch(0, 20)).has_done());
    auto alice = std::make_unique<TlsPeer>(connect_presence());
    EXPECT_TRUE(alice->ask(publish(0, 20, "first")).has_posted());
    EXPECT_EQ(told(bob, 20).size(), 20U);
    for (const auto* const blob : {"second", "third", "fourth"}) {
        auto again = std::make_unique<TlsPeer>(connect_presence());
        EXPECT_TRUE(again->ask(publish(0, 20, blob)).has_posted());
        alice->cut();
        alice = std::move(again);
        const auto all = told(bob, 20);
        EXPECT_EQ(all.size(), 20U);
        for (const auto& [name, seen] : all) EXPECT_EQ(seen, blob);
    }
    // What the server says next would have come behind any word of her going.
    EXPECT_TRUE(bob.ask(watch(0, 1)).has_done());
    const auto held = told(bob, 1);
    EXPECT_EQ(held.begin()->second, "fourth");
}

TEST_F(PresenceNetTest, AnotherWriteKeyIsRefusedOnEveryThread) {
    auto alice = connect_presence();
    auto mallory = connect_presence();
    EXPECT_TRUE(alice.ask(publish(0, 30, "hers")).has_posted());
    const auto answer = mallory.ask(publish(0, 40, "his", 'm'));
    ASSERT_TRUE(answer.has_posted());
    std::set<std::uint32_t> refused(answer.posted().refused().begin(), answer.posted().refused().end());
    EXPECT_EQ(refused.size(), 30U);
    EXPECT_EQ(*refused.begin(), 0U);
    EXPECT_EQ(*refused.rbegin(), 29U);
}

TEST_F(PresenceNetTest, MetricsCountTopicsAndEndAtNone) {
    const auto metric = [this](const std::string& name) {
        const auto text = node->metrics();
        const auto at = text.find("\n" + name + " ");
        return at == std::string::npos ? -1 : std::stoi(text.substr(at + name.size() + 2));
    };
    auto alice = std::make_unique<TlsPeer>(connect_presence());
    auto bob = std::make_unique<TlsPeer>(connect_presence());
    EXPECT_TRUE(bob->ask(watch(10, 20)).has_done());
    EXPECT_TRUE(alice->ask(publish(0, 20, "x")).has_posted());
    EXPECT_EQ(metric("sotto_presence_topics"), 30);
    EXPECT_EQ(metric("sotto_presence_held"), 20);
    EXPECT_EQ(metric("sotto_presence_notifications_total"), 10);
    alice.reset();
    bob.reset();
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{20};
    while (metric("sotto_presence_topics") != 0 && std::chrono::steady_clock::now() < until)
        std::this_thread::sleep_for(std::chrono::milliseconds{10});
    EXPECT_EQ(metric("sotto_presence_topics"), 0);
    EXPECT_EQ(metric("sotto_presence_held"), 0);
}

TEST_F(PresenceNetTest, ManyPeopleChangeAtOnce) {
    constexpr std::size_t people = 60;
    allow_watchers(people);
    std::vector<TlsPeer> all;
    for (std::size_t i = 0; i < people; ++i) {
        all.push_back(connect_presence());
        EXPECT_TRUE(all.back().ask(watch(0, people)).has_done());
    }
    for (std::size_t i = 0; i < people; ++i) {
        auto request = publish(i, 1, "on", static_cast<char>(i));
        request.set_id(1000);
        EXPECT_TRUE(all[i].send(request));
    }
    for (auto& peer : all) EXPECT_EQ(told(peer, people).size(), people);
}

}  // namespace
}  // namespace sotto::keyserver::test
