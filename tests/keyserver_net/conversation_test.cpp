// People who use the server as they should, over real connections and threads.
#include <atomic>
#include <set>

#include "keyserver_net/node_fixture.hpp"

namespace sotto::keyserver::test {
namespace {

class ConversationTest : public NodeTest {
  protected:
    TestDevice bob{"bob", 1, 1, "127.0.0.1"};
};

TEST_F(ConversationTest, DeliversToAConnectedDeviceAndStoresForOneThatIsAway) {
    auto receiver = registered(bob);
    set_shared(receiver, "token");
    auto sender = connect(protocol::delivery_target);
    auto request = deliver_request("bob", 1, "one", envelope("one"), "token");
    request.set_id(77);
    ASSERT_TRUE(sender.send(request));
    EXPECT_EQ(incoming(receiver), envelope("one"));
    EXPECT_TRUE(receiver.ask(acknowledge_request({envelope_id("one")})).has_done());
    const auto delivered = sender.receive();
    ASSERT_TRUE(delivered);
    EXPECT_EQ(delivered->id(), 77U);
    EXPECT_EQ(state_of(delivered), wire::DELIVERY_DELIVERED);

    receiver.cut();
    // Whether the server has seen it go or not: it is stored, at once or when nobody acknowledges.
    EXPECT_EQ(state_of(sender.ask(deliver_request("bob", 1, "two", envelope("two"), "token"))),
              wire::DELIVERY_STORED);
    auto back = logged_in(bob);
    EXPECT_EQ(incoming(back), envelope("two"));
}

TEST_F(ConversationTest, KeepsEverythingOverARestart) {
    auto receiver = registered(bob);
    set_shared(receiver, "token");
    receiver.cut();
    auto sender = connect(protocol::delivery_target);
    for (const auto* id : {"1", "2", "3"})
        EXPECT_EQ(state_of(sender.ask(deliver_request("bob", 1, id, envelope(id), "token"))),
                  wire::DELIVERY_STORED);
    stop();
    start();
    auto back = logged_in(bob);
    for (const auto* id : {"1", "2", "3"}) EXPECT_EQ(incoming(back), envelope(id));
}

TEST_F(ConversationTest, TellsItsClientsThatItStops) {
    auto idle = registered(bob);
    std::thread stopping{[&] { node->stop(); }};
    const auto push = idle.push();
    ASSERT_TRUE(push && push->has_closing());
    EXPECT_GT(push->closing().retry_after_ms(), 0U);
    EXPECT_FALSE(idle.receive());
    EXPECT_EQ(idle.close_code(), 1001U);
    stopping.join();
}

TEST_F(ConversationTest, HandsOverWhatIsUnderWayWhenItStops) {
    auto receiver = registered(bob);
    set_shared(receiver, "token");
    auto sender = connect(protocol::delivery_target);
    auto request = deliver_request("bob", 1, "one", envelope("one"), "token");
    request.set_id(5);
    ASSERT_TRUE(sender.send(request));
    EXPECT_EQ(incoming(receiver), envelope("one"));
    std::thread stopping{[&] { stop(); }};
    EXPECT_EQ(state_of(sender.receive()), wire::DELIVERY_STORED);
    EXPECT_FALSE(
        incoming(receiver));  // its close frame; the server need not wait for the rest of its patience
    while (sender.receive()) {
    }
    stopping.join();
    start();
    auto back = logged_in(bob);
    EXPECT_EQ(incoming(back), envelope("one"));
}

TEST_F(ConversationTest, TakesAFullBatchOfPrekeysRightBehindTheLogin) {
    auto owner = registered(bob);
    wire::Request publish;
    *publish.mutable_publish_prekeys() = bob.prekeys(real_today(), 100);
    EXPECT_GT(publish.ByteSizeLong(), limits::frame_before_login);
    EXPECT_TRUE(owner.ask(publish).has_done());
}

TEST_F(ConversationTest, HandsOutOneTimePrekeysOnceToManyAtATime) {
    auto owner = registered(bob);
    set_shared(owner, "token");
    wire::Request publish;
    *publish.mutable_publish_prekeys() = bob.prekeys(real_today(), 20);
    ASSERT_TRUE(owner.ask(publish).has_done());
    std::mutex mutex;
    std::multiset<std::string> got;
    std::vector<std::thread> friends;
    friends.reserve(4);
    for (int i = 0; i < 4; ++i)
        friends.emplace_back([&] {
            auto peer = connect(protocol::delivery_target);
            for (int j = 0; j < 6; ++j) {
                const auto answer = peer.ask(fetch_prekeys_request("bob", 1, "token"));
                ASSERT_TRUE(answer.has_prekeys());
                const std::lock_guard lock(mutex);
                if (!answer.prekeys().one_time().empty()) got.insert(answer.prekeys().one_time());
            }
        });
    for (auto& one : friends) one.join();
    EXPECT_EQ(got.size(), 20U);
    EXPECT_EQ(std::set<std::string>(got.begin(), got.end()).size(), 20U);
}

TEST_F(ConversationTest, CarriesManyConversationsAtOnceInOrderAndOnceEach) {
    constexpr int pairs = 4;
    constexpr int messages = 60;
    std::vector<std::thread> people;
    for (int pair = 0; pair < pairs; ++pair) {
        const auto name = "user" + std::to_string(pair);
        auto receiver = std::make_shared<TlsPeer>(
            registered(TestDevice{name, 100 + static_cast<std::uint64_t>(pair), 1, "127.0.0.1"}));
        set_shared(*receiver, name);
        people.emplace_back([receiver] {
            for (int i = 0; i < messages; ++i) {
                EXPECT_EQ(incoming(*receiver), envelope(std::to_string(i)));
                EXPECT_TRUE(receiver->ask(acknowledge_request({envelope_id(std::to_string(i))})).has_done());
            }
        });
        people.emplace_back([this, name] {
            auto sender = connect(protocol::delivery_target);
            for (int i = 0; i < messages; ++i) {
                const auto text = std::to_string(i);
                const auto answer = sender.ask(deliver_request(name, 1, text, envelope(text), name));
                EXPECT_NE(state_of(answer), wire::DELIVERY_UNSPECIFIED);
            }
        });
    }
    for (auto& person : people) person.join();
}

TEST_F(ConversationTest, AnswersOfOneTurnLeaveInOneRecord) {
    auto peer = connect(protocol::delivery_target);
    wire::Request ping;
    ping.mutable_ping();
    std::string frames;
    std::size_t answers = 0;
    for (std::uint32_t i = 1; i <= 20; ++i) {
        ping.set_id(i);
        frames += TlsPeer::frame(0x82, ping.SerializeAsString());
        wire::Reply done;
        done.set_id(i);
        done.mutable_done();
        answers += 2 + done.ByteSizeLong();
    }
    ASSERT_TRUE(peer.write(frames));
    const auto record = peer.read();  // hands out no more than one record
    ASSERT_TRUE(record);
    EXPECT_EQ(record->size(), answers);
}

TEST_F(ConversationTest, TakesFramesThatCameRightBehindTheUpgrade) {
    TlsPeer peer{node->port()};
    wire::Request ping;
    ping.set_id(9);
    ping.mutable_ping();
    ASSERT_TRUE(
        peer.write("GET /v1/delivery HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
                   "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                   "Sec-WebSocket-Version: 13\r\n\r\n" +
                   TlsPeer::frame(0x82, ping.SerializeAsString())));
    std::string got;
    while (got.find("\r\n\r\n") == std::string::npos) {
        const auto more = peer.read();
        ASSERT_TRUE(more);
        got += *more;
    }
    EXPECT_TRUE(got.starts_with("HTTP/1.1 101"));
    EXPECT_NE(got.find("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), std::string::npos);  // RFC 6455 section 1.3
    // The hello comes first, then the answer.
    while (true) {
        const auto reply = peer.receive();
        ASSERT_TRUE(reply);
        if (reply->id() != 9) continue;
        EXPECT_TRUE(reply->has_done());
        break;
    }
}

TEST_F(ConversationTest, PassesAWholeMailboxThroughTheWindow) {
    auto receiver = registered(bob);
    set_shared(receiver, "token");
    receiver.cut();
    constexpr int count = 300;
    {
        auto sender = connect(protocol::delivery_target);
        for (int i = 0; i < count; ++i) {
            const auto text = std::to_string(i);
            ASSERT_EQ(state_of(sender.ask(deliver_request("bob", 1, text, envelope(text), "token"))),
                      wire::DELIVERY_STORED);
        }
    }
    auto back = logged_in(bob);
    for (int i = 0; i < count; ++i) {
        const auto text = std::to_string(i);
        ASSERT_EQ(incoming(back), envelope(text));
        if (i % 10 == 9) {
            std::vector<std::string> ids;
            for (int j = i - 9; j <= i; ++j) ids.push_back(envelope_id(std::to_string(j)));
            ASSERT_TRUE(back.ask(acknowledge_request(ids)).has_done());
        }
    }
}

}  // namespace
}  // namespace sotto::keyserver::test
