// Whom the client doesn't talk to, and what it says why.
#include <gtest/gtest.h>
#include <netdb.h>

#include <cstdlib>

#include "support/process.hpp"
#include "tls_server.hpp"
#include "transport_helpers.hpp"

namespace sotto::test {
namespace {

using namespace std::chrono_literals;
using client::NetworkError;

/// A machine as bare as a fresh chroot has no /etc/hosts.
bool localhost_is_known() {
    addrinfo* found = nullptr;
    if (::getaddrinfo("localhost", nullptr, nullptr, &found) != 0) return false;
    ::freeaddrinfo(found);
    return true;
}

/// What came of one attempt; nothing if it connected.
std::optional<NetworkError> refusal(const protocol::Endpoint& endpoint,
                                    std::chrono::milliseconds timeout = 10s) {
    const auto transport = client::make_network_transport(timeout);
    transport->open(1, client::Purpose::identified, endpoint);
    const auto event = transport->wait(std::chrono::steady_clock::now() + patience);
    if (!event) {
        ADD_FAILURE() << "no answer";
        return std::nullopt;
    }
    const auto* gone = std::get_if<client::Disconnected>(&*event);
    if (gone == nullptr) return std::nullopt;
    EXPECT_EQ(gone->id, 1U);
    return gone->error;
}

TEST(Refusal, OfTls12) {
    const auto certificate = make_certificate();
    const TlsServer server{certificate, {.newest_tls = TLS1_2_VERSION}};
    EXPECT_EQ(refusal(loopback(server.port(), certificate.pin())), NetworkError::old_tls);
    EXPECT_EQ(server.handshakes(), 0);
}

TEST(Refusal, OfAnotherKeyThanThePinnedOne) {
    const TlsServer server{make_certificate()};
    EXPECT_EQ(refusal(loopback(server.port(), make_certificate().pin())), NetworkError::wrong_pin);
    EXPECT_TRUE(server.requests().empty());
}

TEST(Refusal, OfASelfSignedCertificateWithoutPin) {
    const TlsServer server{make_certificate({.name = "127.0.0.1"})};
    EXPECT_EQ(refusal(loopback(server.port(), std::nullopt)), NetworkError::untrusted_certificate);
    EXPECT_TRUE(server.requests().empty());
}

TEST(Refusal, OfAPortWhereNobodyListens) {
    EXPECT_EQ(refusal(loopback(free_port(), make_certificate().pin())), NetworkError::unreachable);
}

TEST(Refusal, OfANameThatIsNotThere) {
    EXPECT_EQ(refusal(loopback(7443, std::nullopt, "no-such-host.invalid"), 3s), NetworkError::unreachable);
}

TEST(Refusal, OfAServerThatSpeaksNoTls) {
    const TlsServer server{make_certificate(), {.behaviour = Behaviour::plain_http}};
    EXPECT_EQ(refusal(loopback(server.port(), make_certificate().pin())), NetworkError::not_sotto);
}

TEST(Refusal, OfAServerThatHangsUp) {
    const TlsServer server{make_certificate(), {.behaviour = Behaviour::hang_up}};
    EXPECT_EQ(refusal(loopback(server.port(), make_certificate().pin())), NetworkError::unreachable);
}

TEST(Refusal, OfAServerThatNeverAnswersTheHandshake) {
    const TlsServer server{make_certificate(), {.behaviour = Behaviour::silent}};
    const auto before = std::chrono::steady_clock::now();
    EXPECT_EQ(refusal(loopback(server.port(), make_certificate().pin()), 300ms), NetworkError::unreachable);
    EXPECT_LT(std::chrono::steady_clock::now() - before, 5s);
}

TEST(Refusal, OfAServerThatNeverAnswersTheUpgrade) {
    const auto certificate = make_certificate();
    const TlsServer server{certificate, {.behaviour = Behaviour::mute_upgrade}};
    EXPECT_EQ(refusal(loopback(server.port(), certificate.pin()), 500ms), NetworkError::unreachable);
}

TEST(Refusal, OfAWebServerThatIsNoKeyServer) {
    const auto certificate = make_certificate();
    const TlsServer server{certificate, {.behaviour = Behaviour::no_upgrade}};
    EXPECT_EQ(refusal(loopback(server.port(), certificate.pin())), NetworkError::not_sotto);
}

TEST(Refusal, OfABusyServerIsNoVerdictOnWhatItIs) {
    const auto certificate = make_certificate();
    const TlsServer server{certificate, {.behaviour = Behaviour::busy}};
    EXPECT_EQ(refusal(loopback(server.port(), certificate.pin())), NetworkError::unreachable);
}

TEST(Pin, CountsAlone) {
    // Another name, over since an hour, signed by nobody: the key is what was pinned.
    const auto certificate =
        make_certificate({.name = "elsewhere.example", .begins_in_s = -7200, .ends_in_s = -3600});
    const TlsServer server{certificate};
    EXPECT_EQ(refusal(loopback(server.port(), certificate.pin())), std::nullopt);
}

/// A trusted authority for the time of a test: OpenSSL's own variable names the system's roots.
class WebPki : public ::testing::Test {
  protected:
    // NOLINTBEGIN(concurrency-mt-unsafe): no other thread is there yet, or any more
    void SetUp() override {
        write_file(folder_ / "root.pem", root_.pem());
        ::setenv("SSL_CERT_FILE", (folder_ / "root.pem").c_str(), 1);
    }
    void TearDown() override { ::unsetenv("SSL_CERT_FILE"); }
    // NOLINTEND(concurrency-mt-unsafe)
    [[nodiscard]] Certificate issued(CertificateOptions options) const {
        options.issuer = &root_;
        return make_certificate(options);
    }

  private:
    TemporaryFolder folder_;
    Certificate root_ = make_certificate({.name = "Test Root", .authority = true});
};

TEST_F(WebPki, AcceptsANameAndAnAddressThatTheCertificateIsFor) {
    const TlsServer by_name{issued({.name = "localhost"})};
    const TlsServer by_address{issued({.name = "127.0.0.1"})};
    EXPECT_EQ(refusal(loopback(by_address.port(), std::nullopt)), std::nullopt);
    EXPECT_EQ(by_address.server_name_indicated(), "");
    if (!localhost_is_known()) GTEST_SKIP() << "localhost is no name here: put it into /etc/hosts";
    EXPECT_EQ(refusal(loopback(by_name.port(), std::nullopt, "localhost")), std::nullopt);
    EXPECT_EQ(by_name.server_name_indicated(), "localhost");
}

TEST_F(WebPki, RefusesAnExpiredCertificate) {
    const TlsServer server{issued({.name = "127.0.0.1", .begins_in_s = -7200, .ends_in_s = -3600})};
    EXPECT_EQ(refusal(loopback(server.port(), std::nullopt)), NetworkError::expired_certificate);
}

TEST_F(WebPki, RefusesACertificateThatIsNotYetValid) {
    const TlsServer server{issued({.name = "127.0.0.1", .begins_in_s = 3600})};
    EXPECT_EQ(refusal(loopback(server.port(), std::nullopt)), NetworkError::expired_certificate);
}

TEST_F(WebPki, RefusesAnotherName) {
    const TlsServer server{issued({.name = "elsewhere.example"})};
    EXPECT_EQ(refusal(loopback(server.port(), std::nullopt)), NetworkError::wrong_host);
    if (!localhost_is_known()) GTEST_SKIP() << "localhost is no name here: put it into /etc/hosts";
    EXPECT_EQ(refusal(loopback(server.port(), std::nullopt, "localhost")), NetworkError::wrong_host);
}

TEST_F(WebPki, RefusesAnotherAuthority) {
    const auto other = make_certificate({.name = "Other Root", .authority = true});
    const TlsServer server{make_certificate({.name = "127.0.0.1", .issuer = &other})};
    EXPECT_EQ(refusal(loopback(server.port(), std::nullopt)), NetworkError::untrusted_certificate);
}

}  // namespace
}  // namespace sotto::test
