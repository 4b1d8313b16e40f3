// TLS and HTTP, before anybody says who they are.
#include "keyserver_net/node_fixture.hpp"

namespace sotto::keyserver::test {
namespace {

using TlsTest = NodeTest;

TEST_F(TlsTest, IsVersionThreeWithTheCertificateOfThePinAndWithoutResumption) {
    const TlsPeer peer{node->port()};
    ASSERT_TRUE(peer.connected());
    EXPECT_EQ(peer.version(), "TLSv1.3");
    EXPECT_EQ(peer.pin(), certificate_pin(config.certificate).value());
    auto after = connect(protocol::delivery_target);  // has read: a ticket would have come by now
    EXPECT_FALSE(after.resumable());
}

TEST_F(TlsTest, RefusesVersionTwo) {
    const TlsPeer peer{node->port(), TlsPeer::Tls::v1_2};
    EXPECT_FALSE(peer.connected());
}

TEST_F(TlsTest, AnswersItsHealthOnTheSamePort) {
    const auto get = [&](std::string_view line) {
        return TlsPeer{node->port()}.http(std::string{line} + " HTTP/1.1\r\nHost: x\r\n\r\n");
    };
    const auto healthy = get("GET /healthz");
    EXPECT_TRUE(healthy.starts_with("HTTP/1.1 200"));
    EXPECT_TRUE(healthy.ends_with("ok\n"));
    EXPECT_TRUE(get("GET /").starts_with("HTTP/1.1 404"));
    EXPECT_TRUE(get("GET /v1/identified").starts_with("HTTP/1.1 404"));
    EXPECT_TRUE(get("DELETE /healthz").starts_with("HTTP/1.1 405"));
    EXPECT_TRUE(get("HEAD /healthz").starts_with("HTTP/1.1 200"));
}

TEST_F(TlsTest, UpgradesOnItsTargetsAlone) {
    EXPECT_TRUE(TlsPeer{node->port()}.upgrade(protocol::identified_target));
    EXPECT_TRUE(TlsPeer{node->port()}.upgrade(protocol::delivery_target));
    EXPECT_FALSE(TlsPeer{node->port()}.upgrade("/"));
    EXPECT_FALSE(TlsPeer{node->port()}.upgrade("/v1/other"));
}

TEST_F(TlsTest, RefusesAProofThatWasMadeForAnotherConnection) {
    const TestDevice alice{"alice", 1, 1, "127.0.0.1"};
    registered(alice).cut();
    // The nonce of the second connection, signed for the first: what somebody in the middle could pass on.
    auto first = connect(protocol::identified_target);
    auto second = connect(protocol::identified_target);
    Array<32> nonce{};
    std::ranges::copy(bytes_of(second.hello().nonce()), nonce.begin());
    const auto relayed = alice.proof(crypto::LoginPurpose::login, nonce, first.exporter(), "127.0.0.1");
    EXPECT_EQ(code_of(second.ask(login_request(alice, relayed))), wire::FAILURE_REFUSED);
    EXPECT_TRUE(second.wait_for_end());

    auto third = connect(protocol::identified_target);
    const auto replayed = first.proof(alice, crypto::LoginPurpose::login);
    EXPECT_EQ(code_of(third.ask(login_request(alice, replayed))), wire::FAILURE_REFUSED);
    EXPECT_TRUE(first.ask(login_request(alice, replayed)).has_welcome());
}

TEST_F(TlsTest, SaysThatThePortIsTaken) {
    auto second = config;
    second.listen.port = node->port();
    InitOptions options;
    options.data = folder / "other";
    options.listen = "127.0.0.1:0";
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    EXPECT_TRUE(init(options));
    testing::internal::GetCapturedStdout();
    testing::internal::GetCapturedStderr();
    auto other = read_config(options.data).value();
    other.listen = second.listen;
    const auto started = Node::start(options.data, other);
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().exit, Exit::server);
    EXPECT_NE(started.error().sentence.find(std::to_string(node->port())), std::string::npos);
}

TEST_F(TlsTest, LetsOneServerUseAFolder) {
    const auto started = Node::start(folder / "server", config);
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().exit, Exit::input);
}

}  // namespace
}  // namespace sotto::keyserver::test
