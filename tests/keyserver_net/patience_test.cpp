// Peers that are slow, or silent, over real connections to a server with little patience. What the limits are
// exactly is tested with the deadlines themselves.
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "keyserver/net/server.hpp"
#include "keyserver/store/store_thread.hpp"
#include "keyserver_net/tls_peer.hpp"

namespace sotto::keyserver::test {
namespace {

using namespace std::chrono_literals;

class RealClock final : public Clock {
  public:
    [[nodiscard]] std::uint64_t unix_ms() const override { return count(std::chrono::system_clock::now()); }
    [[nodiscard]] std::uint64_t steady_ms() const override { return count(std::chrono::steady_clock::now()); }

  private:
    [[nodiscard]] static std::uint64_t count(auto time) {
        return static_cast<std::uint64_t>(
            std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count());
    }
};

/// A TCP connection that says nothing.
class Mute {
  public:
    explicit Mute(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(port);
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        EXPECT_EQ(::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
    }
    Mute(const Mute&) = delete;
    Mute& operator=(const Mute&) = delete;
    ~Mute() { ::close(fd_); }

  private:
    int fd_;
};

class PatienceTest : public testing::Test {
  protected:
    ~PatienceTest() override {
        server.reset();
        store.reset();
    }
    void start(const Patience& patience, const GateLimits& gate = {}) {
        const auto credentials = make_credentials("127.0.0.1");
        sotto::test::write_file(folder / "certificate.pem", credentials.certificate);
        sotto::test::write_file(folder / "key.pem", credentials.key);
        auto tls = make_tls_context(folder / "certificate.pem", folder / "key.pem");
        ASSERT_TRUE(tls) << tls.error();
        ServerOptions options;
        options.listen.host = "127.0.0.1";
        options.threads = 1;
        options.patience = patience;
        options.gate = gate;
        server = std::make_unique<Server>(*std::move(tls), options);
        auto db = storage::Database::open(folder / "store.db", storage::DatabaseKey{rng.bytes<32>()},
                                          migrations, {.full_sync = false});
        ASSERT_TRUE(db) << db.error().detail;
        store = std::make_unique<StoreThread>(
            *std::move(db), [](const storage::Error& error) { ADD_FAILURE() << error.detail; });
        service = std::make_unique<Service>(
            Policy{.server_name = "127.0.0.1", .registration = Registration::open, .unbound = false}, clock,
            rng, *store, *server);
        const auto listening = server->start(*service);
        ASSERT_TRUE(listening) << listening.error();
        port = *listening;
    }
    [[nodiscard]] TlsPeer connect(std::string_view target, int receive_buffer = 0) const {
        TlsPeer peer{port, TlsPeer::Tls::v1_3, receive_buffer};
        EXPECT_TRUE(peer.open(target));
        return peer;
    }
    [[nodiscard]] std::uint64_t late(Late what) const {
        return server->counters().late.at(static_cast<std::size_t>(what)).load();
    }
    static void wait_until(const auto& condition) {
        for (int i = 0; i < 600 && !condition(); ++i) std::this_thread::sleep_for(50ms);
        EXPECT_TRUE(condition());
    }
    void expect_alive() const {
        auto peer = connect(protocol::delivery_target);
        wire::Request ping;
        ping.mutable_ping();
        EXPECT_TRUE(peer.ask(ping).has_done());
    }

    sotto::test::TemporaryFolder folder;
    RealClock clock;
    crypto::SystemRng rng;
    std::unique_ptr<Server> server;
    std::unique_ptr<StoreThread> store;
    std::unique_ptr<Service> service;
    std::uint16_t port = 0;
};

TEST_F(PatienceTest, WhoeverDoesNotShakeHandsIsDropped) {
    start({.handshake = 3000});
    const Mute before_tls{port};
    TlsPeer after_tls{port};
    EXPECT_TRUE(after_tls.write("GET / HT"));
    EXPECT_TRUE(after_tls.wait_for_end());
    wait_until([&] { return late(Late::handshake) == 2 && server->connections() == 0; });
    expect_alive();
}

TEST_F(PatienceTest, WhoeverProvesNothingIsDropped) {
    start({.login = 5000});
    auto anonymous = connect(protocol::delivery_target);
    auto unproven = connect(protocol::identified_target);
    const TestDevice alice{"alice", 1, 1, "127.0.0.1"};
    auto proven = connect(protocol::identified_target);
    ASSERT_TRUE(proven.ask(register_request(alice, proven.proof(alice, crypto::LoginPurpose::registration)))
                    .has_welcome());
    EXPECT_TRUE(unproven.wait_for_end());
    wire::Request ping;
    ping.mutable_ping();
    EXPECT_TRUE(anonymous.ask(ping).has_done());
    EXPECT_TRUE(proven.ask(ping).has_done());
    EXPECT_EQ(late(Late::login), 1U);
}

TEST_F(PatienceTest, WhoeverWritesAByteAtATimeIsDropped) {
    start({.message = 500});
    auto slow = connect(protocol::delivery_target);
    const auto frame = TlsPeer::frame(0x82, std::string(5000, 'x'));
    for (std::size_t i = 0; i < frame.size() && slow.write(frame.substr(i, 1)) && server->connections() > 0;
         ++i)
        std::this_thread::sleep_for(10ms);
    EXPECT_TRUE(slow.wait_for_end());
    EXPECT_EQ(late(Late::message), 1U);
    expect_alive();
}

TEST_F(PatienceTest, WhoeverNeverReadsIsDroppedBeforeTheQueueIsFull) {
    start({.write = 500});
    TestDevice eve{"eve", 5, 1, "127.0.0.1"};
    auto deaf = connect(protocol::identified_target, 4096);
    ASSERT_TRUE(
        deaf.ask(register_request(eve, deaf.proof(eve, crypto::LoginPurpose::registration))).has_welcome());
    for (std::size_t i = 1; i < protocol::max_records_per_reply; ++i) {
        eve.record = eve.successor({eve.listed()});
        ASSERT_TRUE(deaf.ask(record_request(eve.record)).has_done());
    }
    auto request = fetch_records_request("eve", "", 1);
    const auto size = deaf.ask(request).ByteSizeLong();
    // More than the kernel holds for it (half a MiB), less than that and the server's queue (8 MiB) together.
    const auto enough = 6UL * 1024 * 1024 / size;
    request.set_id(1);
    for (std::size_t i = 0; i < enough && deaf.send(request); ++i) {
    }
    wait_until([&] { return server->connections() == 0; });
    EXPECT_EQ(late(Late::write), 1U);
    EXPECT_EQ(server->counters().overflowed.load(), 0U);
    expect_alive();
}

TEST_F(PatienceTest, WhoeverAnswersPingsStaysAndWhoeverDoesNotIsDropped) {
    start({.idle = 6000});
    auto answering = connect(protocol::delivery_target);
    auto silent = connect(protocol::delivery_target);
    std::thread reading{[&] {
        while (answering.receive()) {
        }
    }};
    wait_until([&] { return late(Late::idle) == 1; });
    EXPECT_EQ(server->connections(), 1U);
    server->stop();
    reading.join();
    EXPECT_EQ(answering.close_code(), 1001U);
    EXPECT_TRUE(silent.wait_for_end());
}

TEST_F(PatienceTest, WhoeverDoesNotAnswerTheCloseIsDropped) {
    start({.close = 500});
    auto peer = connect(protocol::delivery_target);
    ASSERT_TRUE(peer.send_frame(0x81, "text"));
    wait_until([&] { return server->connections() == 0; });
    EXPECT_EQ(late(Late::close), 1U);
}

TEST_F(PatienceTest, OneAddressHasSoManyConnectionsAndNotOneMore) {
    start({}, {.connections = 2, .burst = 100, .per_second = 100});
    auto first = connect(protocol::delivery_target);
    auto second = connect(protocol::delivery_target);
    EXPECT_FALSE(TlsPeer{port}.connected());
    EXPECT_EQ(server->counters().refused_many.load(), 1U);
    first.cut();
    wait_until([&] { return server->connections() == 1; });
    EXPECT_TRUE(TlsPeer{port}.connected());
}

TEST_F(PatienceTest, OneAddressHasSoManyNewConnectionsAndNotOneMore) {
    start({}, {.connections = 0, .burst = 3, .per_second = 0.001});
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(TlsPeer{port}.connected());
    EXPECT_FALSE(TlsPeer{port}.connected());
    EXPECT_EQ(server->counters().refused_fast.load(), 1U);
}

TEST_F(PatienceTest, AnotherCertificateHoldsForNewConnections) {
    start({});
    auto before = connect(protocol::delivery_target);
    const auto pin = before.pin();
    const auto credentials = make_credentials("127.0.0.1");
    sotto::test::write_file(folder / "certificate.pem", credentials.certificate);
    sotto::test::write_file(folder / "key.pem", credentials.key);
    server->replace_tls(make_tls_context(folder / "certificate.pem", folder / "key.pem").value());
    const auto fresh = certificate_pin(folder / "certificate.pem").value();
    ASSERT_NE(pin, fresh);
    wait_until([&] { return TlsPeer{port}.pin() == fresh; });
    wire::Request ping;
    ping.mutable_ping();
    EXPECT_TRUE(before.ask(ping).has_done());
}

}  // namespace
}  // namespace sotto::keyserver::test
