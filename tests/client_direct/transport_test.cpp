// Real paths over this machine's own interfaces: TCP and ICE, in both roles.
#include <glib.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "paths.hpp"

namespace sotto::client::test {
namespace {

TEST_F(PathsTest, ADescriptionHoldsWhatIcePeersNeed) {
    const auto ours = alice.gather(1, true);
    EXPECT_GE(ours.ufrag.size(), 4U);
    EXPECT_GE(ours.password.size(), 22U);
    ASSERT_FALSE(ours.candidates.empty());
    for (const auto& line : ours.candidates) EXPECT_TRUE(line.starts_with("candidate:")) << line;
    ASSERT_FALSE(ours.tcp.empty());
    for (const auto& endpoint : ours.tcp) {
        EXPECT_TRUE(endpoint.address.size() == 4 || endpoint.address.size() == 16);
        EXPECT_NE(endpoint.port, 0);
    }
}

TEST_F(PathsTest, LoopbackIsOnlyDescribedWhereItIsAskedFor) {
    const auto ours = alice.gather(1, true, {});
    for (const auto& line : ours.candidates) EXPECT_EQ(line.find(" 127.0.0.1 "), std::string::npos);
    for (const auto& endpoint : ours.tcp)
        EXPECT_FALSE(endpoint.address.size() == 4 && endpoint.address[0] == std::byte{127});
}

TEST_F(PathsTest, TcpCarriesBytesBothWays) {
    const auto two = connect(Only::tcp);
    EXPECT_EQ(two.alice.kind, PathKind::tcp);
    EXPECT_TRUE(two.bob.ours) << "Bob connected to where Alice listens";
    EXPECT_FALSE(two.alice.ours);
    expect_carries(two, 3'000'000);
}

TEST_F(PathsTest, IceCarriesBytesBothWays) {
    const auto two = connect(Only::ice);
    EXPECT_EQ(two.alice.kind, PathKind::ice);
    EXPECT_TRUE(two.alice.ours) << "the offerer speaks first";
    EXPECT_FALSE(two.bob.ours);
    expect_carries(two, 3'000'000);
}

TEST_F(PathsTest, TheEndOfOneSideIsSeenByTheOther) {
    const auto two = connect(Only::tcp);
    alice.act(SendStream{two.alice.stream, pattern(100)});
    alice.act(EndPath{1});
    EXPECT_EQ(bob.read(two.bob.stream, 100), pattern(100)) << "what was sent still arrives";
    const auto closed = bob.next<StreamClosed>();
    ASSERT_TRUE(closed);
    EXPECT_EQ(closed->stream, two.bob.stream);
    EXPECT_FALSE(alice.next<StreamClosed>(std::chrono::milliseconds{200})) << "whoever ends it knows";
}

TEST_F(PathsTest, SilenceEndsNoStream) {
    const auto two = connect(Only::tcp);
    EXPECT_FALSE(alice.next<StreamClosed>(std::chrono::milliseconds{6500}));
    expect_carries(two, 1000);
}

TEST_F(PathsTest, OneStreamIsKeptAndNobodyElseGetsIn) {
    const auto offer = alice.gather(1, true);
    bob.gather(7, false);
    auto only_tcp = offer;
    keep(only_tcp, Only::tcp);
    bob.act(ConnectPath{7, only_tcp});
    const auto at_alice = alice.next<StreamOpened>();
    ASSERT_TRUE(at_alice);
    alice.act(KeepStream{1, at_alice->stream});
    while (alice.next<StreamOpened>(std::chrono::milliseconds{300})) {
    }
    const auto target = std::ranges::find_if(offer.tcp, [](const auto& endpoint) {
        return endpoint.address.size() == 4 && endpoint.address[0] == std::byte{127};
    });
    ASSERT_NE(target, offer.tcp.end());
    const int knocking = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_port = htons(target->port);
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_NE(::connect(knocking, reinterpret_cast<const sockaddr*>(&where), sizeof(where)), 0);
    ::close(knocking);
    alice.act(SendStream{at_alice->stream, pattern(1000)});
    Bytes got;
    while (got.size() < 1000) {
        const auto piece = bob.next<StreamBytes>();
        ASSERT_TRUE(piece) << "the kept one goes on";
        got.insert(got.end(), piece->bytes.begin(), piece->bytes.end());
    }
    EXPECT_EQ(got, pattern(1000));
}

TEST_F(PathsTest, WhatNobodyTakesClosesTheStream) {
    for (const auto only : {Only::tcp, Only::ice}) {
        Side one;
        Side other;
        auto offer = one.gather(1, true);
        auto answer = other.gather(2, false);
        keep(offer, only);
        keep(answer, only);
        other.act(ConnectPath{2, offer});
        one.act(ConnectPath{1, answer});
        const auto at_one = one.next<StreamOpened>();
        ASSERT_TRUE(at_one);
        const auto at_other = other.next<StreamOpened>();
        ASSERT_TRUE(at_other);
        one.take_nothing();
        other.act(SendStream{at_other->stream, pattern(10)});
        EXPECT_TRUE(one.next<StreamClosed>());
    }
}

TEST_F(PathsTest, WhatIsNoNeighbourIsNotConnectedTo) {
    alice.gather(1, true, {});
    // Somebody listens here, but without loopback it is no place to connect to.
    const int listening = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ASSERT_EQ(::bind(listening, reinterpret_cast<const sockaddr*>(&where), sizeof(where)), 0);
    ASSERT_EQ(::listen(listening, 4), 0);
    socklen_t size = sizeof(where);
    ::getsockname(listening, reinterpret_cast<sockaddr*>(&where), &size);
    const auto port = ntohs(where.sin_port);
    PathDescription theirs;
    theirs.tcp.push_back({{std::byte{127}, std::byte{0}, std::byte{0}, std::byte{1}}, port});
    theirs.tcp.push_back({{std::byte{203}, std::byte{0}, std::byte{113}, std::byte{9}}, port});
    alice.act(ConnectPath{1, theirs});
    EXPECT_FALSE(alice.next<StreamOpened>(std::chrono::milliseconds{500}));
    ::close(listening);
}

TEST_F(PathsTest, NonsenseFromTheOtherSideIsPassedOver) {
    alice.gather(1, true);
    PathDescription theirs;
    theirs.ufrag = "abcd";
    theirs.password = "abcdefghijklmnopqrstuvwx";
    theirs.candidates = {"",
                         "candidate:",
                         "candidate:1 1 UDP 1 999.1.1.1 9 typ host",
                         "candidate:1 1 UDP 99999999999999999999 127.0.0.1 99999999 typ host",
                         "candidate:1 2 UDP 1 127.0.0.1 9 typ host",
                         "candidate:1 1 TCP 1 127.0.0.1 9 typ host tcptype active",
                         "candidate:1 1 TCP 1 10.0.0.1 5000 typ host",
                         "candidate:1 1",
                         "candidate:1 1 ",
                         "candidate:1 1 UDP 1 224.0.0.1 9 typ host",
                         "candidate:1 1 UDP 1 0.0.0.0 9 typ host",
                         "candidate:1 1 UDP 1 169.254.1.1 9 typ host",
                         "candidate:1 1 UDP 1 fe80::1 9 typ host",
                         "candidate:1 1 UDP 1 ::ffff:127.0.0.1 9 typ host",
                         "candidate:1 1 UDP 1 127.0.0.1 0 typ host",
                         std::string(max_candidate_size, ' ')};
    theirs.tcp.push_back({{std::byte{0}, std::byte{0}, std::byte{0}, std::byte{0}}, 9});
    alice.act(ConnectPath{1, theirs});
    EXPECT_FALSE(alice.next<StreamOpened>(std::chrono::milliseconds{500}));
    alice.act(EndPath{1});
}

TEST_F(PathsTest, NothingIsSaidOnTheTerminal) {
    alice.gather(1, true);
    testing::internal::CaptureStderr();
    g_log("libnice", G_LOG_LEVEL_WARNING, "something to be said");
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST_F(PathsTest, ASlowStunServerHoldsNobodyUpForLong) {
    // Nobody answers there (RFC 5737).
    const auto begun = Clock::now();
    PathSettings settings{{}, true, false};
    settings.servers.push_back({IceServer::Kind::stun, "192.0.2.1", 3478, "", ""});
    settings.servers.push_back({IceServer::Kind::turn_udp, "192.0.2.2", 3478, "user", "password"});
    const auto ours = alice.gather(1, true, settings);
    EXPECT_FALSE(ours.candidates.empty());
    EXPECT_LT(Clock::now() - begun, patience);
}

TEST_F(PathsTest, AttemptsBeginAndEndInAnyState) {
    for (AttemptId id = 1; id <= 20; ++id) {
        alice.act(GatherPath{id, id % 2 == 0, {{}, true, false}});
        if (id % 3 == 0) static_cast<void>(alice.next<PathGathered>());
        if (id % 4 == 0) alice.act(ConnectPath{id, {}});
        alice.act(EndPath{id});
        alice.act(EndPath{id});
        alice.act(KeepStream{id, 99});
        alice.act(SendStream{99, pattern(5)});
        alice.act(CloseStream{99});
    }
    EXPECT_FALSE(alice.gather(21, true).empty()) << "and the next one works";
}

}  // namespace
}  // namespace sotto::client::test
