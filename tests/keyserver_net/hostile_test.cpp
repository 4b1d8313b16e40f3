// Peers that mean no good, or are broken: they are cut off, and others notice nothing.
#include "keyserver_net/node_fixture.hpp"

namespace sotto::keyserver::test {
namespace {

class HostileTest : public NodeTest {
  protected:
    HostileTest() : NodeTest(1) {}  // one thread: whoever blocks it blocks everybody
    ~HostileTest() override { expect_alive(); }

    void expect_alive() {
        auto peer = connect(protocol::delivery_target);
        wire::Request ping;
        ping.mutable_ping();
        EXPECT_TRUE(peer.ask(ping).has_done());
    }
    TestDevice bob{"bob", 1, 1, "127.0.0.1"};
};

TEST_F(HostileTest, OversizedFramesCloseTheConnection) {
    auto delivery = connect(protocol::delivery_target);
    delivery.send_frame(0x82, std::string(limits::frame_delivery + 1, 'x'));
    EXPECT_FALSE(delivery.receive());
    EXPECT_EQ(delivery.close_code(), 1009U);
    auto stranger = connect(protocol::identified_target);
    stranger.send_frame(0x82, std::string(limits::frame_before_login + 1, 'x'));
    EXPECT_FALSE(stranger.receive());
    EXPECT_EQ(stranger.close_code(), 1009U);
}

TEST_F(HostileTest, FramesThatNeverEndCloseTheConnection) {
    auto peer = connect(protocol::delivery_target);
    peer.send_frame(0x02, std::string(1000, 'x'));
    for (int i = 0; i < 1000 && peer.send_frame(0x00, std::string(1000, 'x')); ++i) {
    }
    EXPECT_TRUE(peer.wait_for_end());
}

TEST_F(HostileTest, TextUnmaskedAndCompressedFramesCloseTheConnection) {
    auto text = connect(protocol::delivery_target);
    text.send_frame(0x81, "{}");
    EXPECT_FALSE(text.receive());
    EXPECT_EQ(text.close_code(), 1003U);
    auto unmasked = connect(protocol::delivery_target);
    unmasked.send_frame(0x82, "xx", false);
    EXPECT_FALSE(unmasked.receive());
    auto compressed = connect(protocol::delivery_target);
    compressed.send_frame(0xc2, std::string("\x4b\x04\x00", 3));
    EXPECT_FALSE(compressed.receive());
}

TEST_F(HostileTest, PingsWithoutEndCloseTheConnection) {
    auto peer = connect(protocol::delivery_target);
    std::string pings;
    for (int i = 0; i < 500; ++i) pings += TlsPeer::frame(0x89, "?");
    for (int i = 0; i < 100 && peer.write(pings); ++i) {
    }
    EXPECT_FALSE(peer.receive());
    EXPECT_EQ(peer.close_code(), 1008U);
}

TEST_F(HostileTest, RandomFramesAreAnsweredMalformedAndClosed) {
    crypto::SeededRng rng{3};
    for (int i = 0; i < 30; ++i) {
        auto peer = connect(i % 2 == 0 ? protocol::delivery_target : protocol::identified_target);
        Bytes noise(1 + rng.below(2000));
        rng.fill(noise);
        ASSERT_TRUE(peer.send_frame(0x82, chars_of(noise)));
        const auto answer = peer.receive();
        ASSERT_TRUE(answer);
        EXPECT_EQ(code_of(*answer), wire::FAILURE_MALFORMED);
        EXPECT_FALSE(peer.receive());
    }
}

TEST_F(HostileTest, RandomBytesInsteadOfHttpOrWebSocketAreCutOff) {
    crypto::SeededRng rng{4};
    for (int i = 0; i < 20; ++i) {
        Bytes noise(400);
        rng.fill(noise);
        TlsPeer raw{node->port()};
        raw.write(chars_of(noise));
        raw.write("\r\n\r\n");
        EXPECT_TRUE(raw.wait_for_end());
        auto peer = connect(protocol::delivery_target);
        noise.front() |= std::byte{0x70};  // reserved bits
        peer.write(chars_of(noise));
        EXPECT_TRUE(peer.wait_for_end());
    }
}

TEST_F(HostileTest, EndlessHttpHeadersAreCutOff) {
    TlsPeer peer{node->port()};
    peer.write("GET / HTTP/1.1\r\n");
    for (int i = 0; i < 100 && peer.write("X-Header: " + std::string(1000, 'x') + "\r\n"); ++i) {
    }
    EXPECT_TRUE(peer.wait_for_end());
}

TEST_F(HostileTest, ConnectionsThatSayNothingAreDropped) {
    TlsPeer after_tls{node->port()};
    auto unproven = connect(protocol::identified_target);
    EXPECT_TRUE(after_tls.wait_for_end());  // within the handshake's time
    EXPECT_TRUE(unproven.wait_for_end());   // within the login's time
}

TEST_F(HostileTest, PeersThatVanishInTheMiddleOfAFrameLeaveNothingBehind) {
    for (int i = 0; i < 50; ++i) {
        auto peer = connect(protocol::delivery_target);
        peer.write(std::string("\x82\xfe\x40\x00\x00\x00\x00\x00half a frame", 20));
        peer.cut();
    }
    expect_alive();
    for (int i = 0; i < 300 && node->connections() > 5; ++i)
        std::this_thread::sleep_for(std::chrono::milliseconds{50});
    EXPECT_LE(node->connections(), 5U);
}

TEST_F(HostileTest, WhoeverNeverReadsIsDroppedAndOthersGoOn) {
    TestDevice eve{"eve", 5, 1, "127.0.0.1"};
    auto deaf = registered(eve);
    for (std::size_t i = 1; i < protocol::max_records_per_reply; ++i) {
        eve.record = eve.successor({eve.listed()});
        ASSERT_TRUE(deaf.ask(record_request(eve.record)).has_done());
    }
    // Fewer requests than the rate allows at once, and more answers than buffers on the way and the server's
    // queue hold.
    auto request = fetch_records_request("eve", "", 1);
    request.set_id(1);
    for (int i = 0; i < 3900 && deaf.send(request); ++i) {
    }
    for (int i = 0; i < 600 && node->connections() > 0; ++i)
        std::this_thread::sleep_for(std::chrono::milliseconds{50});
    EXPECT_EQ(node->connections(), 0U);
}

TEST_F(HostileTest, AReceiverThatNeverReadsHurtsNobodyElse) {
    auto deaf = registered(bob);
    set_shared(deaf, "token");
    const TestDevice alice{"alice", 2, 1, "127.0.0.1"};
    auto listening = registered(alice);
    set_shared(listening, "other");
    auto sender = connect(protocol::delivery_target);
    const std::string large(90'000, 'x');
    // More than any buffer on the way holds, and nothing of it is acknowledged.
    for (int i = 0; i < 100; ++i) {
        auto request = deliver_request("bob", 1, "b" + std::to_string(i), envelope(large), "token");
        request.set_id(static_cast<std::uint32_t>(1000 + i));
        ASSERT_TRUE(sender.send(request));
    }
    auto other = connect(protocol::delivery_target);
    auto request = deliver_request("alice", 1, "a", envelope("a"), "other");
    request.set_id(1);
    ASSERT_TRUE(other.send(request));
    EXPECT_EQ(incoming(listening), envelope("a"));
    EXPECT_TRUE(listening.ask(acknowledge_request({envelope_id("a")})).has_done());
    EXPECT_EQ(state_of(other.receive()), wire::DELIVERY_DELIVERED);
    for (int i = 0; i < 100; ++i) EXPECT_EQ(state_of(sender.receive()), wire::DELIVERY_STORED);
    deaf.cut();
    auto back = logged_in(bob);
    EXPECT_EQ(incoming(back), envelope(large));
}

TEST_F(HostileTest, KeyUpdatesWithoutEndDelayNobody) {
    auto peer = connect(protocol::delivery_target);
    for (int i = 0; i < 3000; ++i) ASSERT_TRUE(peer.update_keys());
    expect_alive();
    wire::Request ping;
    ping.mutable_ping();
    EXPECT_TRUE(peer.ask(ping).has_done());
}

class CrowdTest : public NodeTest {
  protected:
    CrowdTest() : NodeTest(1, 4) {}
};

TEST_F(CrowdTest, MoreConnectionsThanAllowedAreClosedAtOnce) {
    std::vector<TlsPeer> inside;
    inside.reserve(4);
    for (int i = 0; i < 4; ++i) inside.push_back(connect(protocol::delivery_target));
    EXPECT_FALSE(TlsPeer{node->port()}.connected());
    inside.front().cut();
    for (int i = 0; i < 300 && node->connections() >= 4; ++i)
        std::this_thread::sleep_for(std::chrono::milliseconds{50});
    EXPECT_TRUE(TlsPeer{node->port()}.connected());
}

}  // namespace
}  // namespace sotto::keyserver::test
