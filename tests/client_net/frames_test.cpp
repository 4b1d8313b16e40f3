// What goes over a connection once it stands, and how it ends.
#include <gtest/gtest.h>

#include "sotto/protocol/limits.hpp"
#include "tls_server.hpp"
#include "transport_helpers.hpp"

namespace sotto::test {
namespace {

using namespace std::chrono_literals;
using client::Connected;
using client::Disconnected;
using client::FrameReceived;
using client::NetworkError;
using client::Purpose;

class Frames : public ::testing::Test {
  protected:
    [[nodiscard]] protocol::Endpoint endpoint(const TlsServer& server) const {
        return loopback(server.port(), certificate_.pin());
    }
    /// Up to the first frame.
    std::optional<Connected> connect(const TlsServer& server, client::ConnectionId id = 1) {
        transport_->open(id, Purpose::identified, endpoint(server));
        return next<Connected>(*transport_);
    }
    Certificate certificate_ = make_certificate();
    std::unique_ptr<client::Transport> transport_ = client::make_network_transport();
};

TEST_F(Frames, AreBoundToTheTlsConnectionByItsExporter) {
    const TlsServer server{certificate_};
    const auto connected = connect(server);
    ASSERT_TRUE(connected);
    EXPECT_FALSE(connected->verified_host);
    EXPECT_TRUE(connected->tls.starts_with("TLSv1.3, TLS_")) << connected->tls;
    const auto first = next<FrameReceived>(*transport_);
    ASSERT_TRUE(first);
    EXPECT_EQ(first->frame, to_bytes(connected->exporter));
}

TEST_F(Frames, ComeBackInOrderAtEverySize) {
    const TlsServer server{certificate_};
    ASSERT_TRUE(connect(server));
    ASSERT_TRUE(next<FrameReceived>(*transport_));
    for (const std::size_t size :
         {std::size_t{0}, std::size_t{1}, std::size_t{125}, std::size_t{126}, std::size_t{65535},
          std::size_t{65536}, std::size_t{98304}, protocol::max_frame_size})
        transport_->send(1, Bytes(size, std::byte{static_cast<unsigned char>(size % 251)}));
    for (const std::size_t size :
         {std::size_t{0}, std::size_t{1}, std::size_t{125}, std::size_t{126}, std::size_t{65535},
          std::size_t{65536}, std::size_t{98304}, protocol::max_frame_size}) {
        const auto frame = next<FrameReceived>(*transport_);
        ASSERT_TRUE(frame);
        EXPECT_EQ(frame->frame, Bytes(size, std::byte{static_cast<unsigned char>(size % 251)}));
    }
}

TEST_F(Frames, SentBeforeItIsConnectedGoOutAfterwards) {
    const TlsServer server{certificate_};
    transport_->open(1, Purpose::delivery, endpoint(server));
    transport_->send(1, Bytes(10, std::byte{7}));
    ASSERT_TRUE(next<Connected>(*transport_));
    ASSERT_TRUE(next<FrameReceived>(*transport_));
    const auto frame = next<FrameReceived>(*transport_);
    ASSERT_TRUE(frame);
    EXPECT_EQ(frame->frame, Bytes(10, std::byte{7}));
}

TEST_F(Frames, OfTwoPurposesShareNothingThatJoinsThem) {
    const TlsServer server{certificate_};
    transport_->open(1, Purpose::identified, endpoint(server));
    ASSERT_TRUE(next<Connected>(*transport_));
    ASSERT_TRUE(next<FrameReceived>(*transport_));
    transport_->open(2, Purpose::delivery, endpoint(server));
    ASSERT_TRUE(next<Connected>(*transport_));
    ASSERT_TRUE(next<FrameReceived>(*transport_));
    EXPECT_EQ(server.handshakes(), 2);
    EXPECT_EQ(server.resumed(), 0);
    auto requests = server.requests();
    ASSERT_EQ(requests.size(), 2U);
    EXPECT_TRUE(requests[0].starts_with("GET /v1/identified HTTP/1.1\r\n"));
    EXPECT_TRUE(requests[1].starts_with("GET /v1/delivery HTTP/1.1\r\n"));
    for (auto& request : requests) {
        request.erase(0, request.find("\r\n"));
        const auto key = request.find("Sec-WebSocket-Key: ");
        request.erase(key, request.find("\r\n", key) - key);
    }
    EXPECT_EQ(requests[0], requests[1]);
}

TEST_F(Frames, EndWithACloseFrameAndNoEvent) {
    const TlsServer server{certificate_};
    ASSERT_TRUE(connect(server));
    ASSERT_TRUE(next<FrameReceived>(*transport_));
    transport_->send(1, Bytes(100'000, std::byte{1}));
    transport_->close(1);
    EXPECT_FALSE(transport_->wait(std::chrono::steady_clock::now() + 300ms));
    transport_.reset();
    EXPECT_EQ(server.close_frames(), 1);
}

TEST_F(Frames, EndWithACloseFrameWhenTheTransportGoes) {
    const TlsServer server{certificate_};
    ASSERT_TRUE(connect(server));
    transport_.reset();
    EXPECT_EQ(server.close_frames(), 1);
}

TEST_F(Frames, HalfOfOneIsAnEnd) {
    const TlsServer server{certificate_, {.behaviour = Behaviour::half_a_frame}};
    ASSERT_TRUE(connect(server));
    const auto gone = next<Disconnected>(*transport_);
    ASSERT_TRUE(gone);
    EXPECT_EQ(gone->error, NetworkError::closed);
}

TEST_F(Frames, OfTextAreAnEnd) {
    const TlsServer server{certificate_, {.behaviour = Behaviour::text_frame}};
    ASSERT_TRUE(connect(server));
    const auto gone = next<Disconnected>(*transport_);
    ASSERT_TRUE(gone);
    EXPECT_EQ(gone->error, NetworkError::closed);
}

TEST_F(Frames, OverTheLimitAreAnEndWithoutBeingRead) {
    const TlsServer server{certificate_, {.behaviour = Behaviour::oversized}};
    ASSERT_TRUE(connect(server));
    const auto gone = next<Disconnected>(*transport_);
    ASSERT_TRUE(gone);
    EXPECT_EQ(gone->error, NetworkError::closed);
}

TEST_F(Frames, InAFloodWaitUntilThereIsRoom) {
    const TlsServer server{certificate_, {.behaviour = Behaviour::flood}};
    ASSERT_TRUE(connect(server));
    std::this_thread::sleep_for(200ms);
    for (int i = 0; i < 64; ++i) {
        const auto frame = next<FrameReceived>(*transport_);
        ASSERT_TRUE(frame) << i;
        ASSERT_EQ(frame->frame.size(), 256UL * 1024);
        ASSERT_EQ(frame->frame.front(), std::byte{static_cast<unsigned char>(i)});
    }
    transport_->send(1, Bytes(3, std::byte{9}));
    EXPECT_TRUE(next<FrameReceived>(*transport_));
}

TEST_F(Frames, ThatTheServerDoesNotReadEndTheConnectionAtALimit) {
    const TlsServer server{certificate_, {.behaviour = Behaviour::deaf}};
    ASSERT_TRUE(connect(server));
    for (int i = 0; i < 100; ++i) transport_->send(1, Bytes(protocol::max_frame_size, std::byte{1}));
    const auto gone = next<Disconnected>(*transport_);
    ASSERT_TRUE(gone);
    EXPECT_EQ(gone->error, NetworkError::closed);
}

TEST_F(Frames, ToADeafServerDoNotHoldUpTheEnd) {
    const TlsServer server{certificate_, {.behaviour = Behaviour::deaf}};
    ASSERT_TRUE(connect(server));
    for (int i = 0; i < 20; ++i) transport_->send(1, Bytes(protocol::max_frame_size, std::byte{1}));
    const auto before = std::chrono::steady_clock::now();
    transport_.reset();
    EXPECT_LT(std::chrono::steady_clock::now() - before, 4s);
}

TEST_F(Frames, ReportTheServersEnd) {
    auto server = std::make_unique<TlsServer>(certificate_);
    ASSERT_TRUE(connect(*server));
    ASSERT_TRUE(next<FrameReceived>(*transport_));
    server.reset();
    const auto gone = next<Disconnected>(*transport_);
    ASSERT_TRUE(gone);
    EXPECT_EQ(gone->error, NetworkError::closed);
    transport_->send(1, Bytes(1, std::byte{1}));  // to one that is gone: nothing happens
    EXPECT_FALSE(transport_->wait(std::chrono::steady_clock::now() + 50ms));
}

TEST_F(Frames, WaitCanBeWoken) {
    std::thread waker{[this] { transport_->wake(); }};
    const auto before = std::chrono::steady_clock::now();
    EXPECT_FALSE(transport_->wait(before + patience));
    EXPECT_LT(std::chrono::steady_clock::now() - before, 5s);
    waker.join();
}

TEST_F(Frames, OfManyConnectionsThatAreClosedAtAnyMomentLeaveNothing) {
    const TlsServer server{certificate_};
    for (client::ConnectionId id = 1; id <= 30; ++id) {
        transport_->open(id, Purpose::delivery, endpoint(server));
        transport_->send(id, Bytes(1000, std::byte{1}));
        std::this_thread::sleep_for(std::chrono::microseconds{id * 300});
        transport_->close(id);
    }
    EXPECT_FALSE(transport_->wait(std::chrono::steady_clock::now() + 100ms));
}

}  // namespace
}  // namespace sotto::test
