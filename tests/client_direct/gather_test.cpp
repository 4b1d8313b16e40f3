// What is waited for while candidates are gathered, and for how long.
#include <gtest/gtest.h>
#include <sched.h>

#include <algorithm>
#include <cstdlib>
#include <thread>

#include "side.hpp"
#include "stun_servers.hpp"

namespace sotto::client::test {
namespace {

using std::chrono::milliseconds;
using Kind = IceServer::Kind;

class GatherTest : public testing::Test {
  protected:
    PathDescription gather(std::vector<IceServer> servers, bool loopback = true) {
        const auto begun = Clock::now();
        auto ours = side.gather(++attempt, true, {std::move(servers), loopback, false});
        took = Clock::now() - begun;
        return ours;
    }
    /// A busy machine is asked again.
    bool within(milliseconds limit, const std::vector<IceServer>& servers, bool loopback = true) {
        for (int i = 0; i < 4; ++i) {
            last = gather(servers, loopback);
            if (took < limit) return true;
        }
        return false;
    }
    static bool has(const PathDescription& ours, std::string_view type) {
        return std::ranges::any_of(ours.candidates, [&](const auto& line) {
            return line.find(" typ " + std::string{type}) != std::string::npos;
        });
    }
    static IceServer stun_at(std::uint16_t port) { return {Kind::stun, "127.0.0.1", port, "", ""}; }
    static IceServer turn_at(std::uint16_t port) {
        return {Kind::turn_tcp, "127.0.0.1", port, std::string{turn_user}, std::string{turn_password}};
    }

    Side side;
    AttemptId attempt = 0;
    PathDescription last;
    Clock::duration took{};
};

TEST_F(GatherTest, ARelayThatIsThereFirstEndsNothingWhileStunAsksAgain) {
    StunServer stun{1};
    const TurnServer turn;
    const auto ours = gather({stun_at(stun.port()), turn_at(turn.port())});
    EXPECT_TRUE(has(ours, "relay"));
    EXPECT_TRUE(has(ours, "srflx")) << "its first request was lost";
}

TEST_F(GatherTest, AStunServerThatIsSilentIsNotWaitedForToTheEnd) {
    const StunServer stun{1000};
    const TurnServer turn;
    EXPECT_TRUE(within(milliseconds{950}, {stun_at(stun.port()), turn_at(turn.port())}));
    EXPECT_TRUE(has(last, "relay"));
    EXPECT_GT(took, milliseconds{600});
}

TEST_F(GatherTest, WithoutRelaysTheServerReflexiveOneIsTheLast) {
    const StunServer stun{0};
    EXPECT_TRUE(within(milliseconds{500}, {stun_at(stun.port())}));
    EXPECT_TRUE(has(last, "srflx"));
}

// In a network of its own, which a thread's children are in too.
TEST(LonelyTest, AnAddressThatMeansNothingElsewhereIsNotAllThereIs) {
    bool alone = false;
    PathDescription ours;
    std::thread{[&] {
        // NOLINTNEXTLINE(cert-env33-c): words of ours alone
        alone = ::unshare(CLONE_NEWNET) == 0 && std::system(
                                                    "ip link add here type veth peer name there && "
                                                    "ip address add 169.254.7.7/16 dev here && "
                                                    "ip link set here up && ip link set there up") == 0;
        if (alone) ours = Side{}.gather(1, true, {});
    }}.join();
    if (!alone) GTEST_SKIP() << "no network can be made here";
    EXPECT_TRUE(ours.candidates.empty());
    EXPECT_TRUE(ours.tcp.empty());
}

// The key server names them, and could have anything asked that way.
TEST_F(GatherTest, AServerWhereNoneCanBeIsNotAsked) {
    // Where it is asked, its silence is waited for.
    for (const auto* const host : {"127.0.0.1", "localhost", "169.254.1.1", "224.0.0.1", "0.0.0.0"}) {
        EXPECT_TRUE(within(milliseconds{700}, {{Kind::stun, host, 3478, "", ""}}, false)) << host;
    }
}

TEST_F(GatherTest, AServerOnThisMachineIsAskedWhereThatMayBe) {
    for (const auto* const host : {"127.0.0.1", "localhost"}) {
        const StunServer stun{0};
        EXPECT_TRUE(has(gather({{Kind::stun, host, stun.port(), "", ""}}), "srflx")) << host;
    }
}

}  // namespace
}  // namespace sotto::client::test
