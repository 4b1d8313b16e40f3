// What is waited for while candidates are gathered, and for how long.
#include <gtest/gtest.h>

#include <algorithm>

#include "side.hpp"
#include "stun_servers.hpp"

namespace sotto::client::test {
namespace {

using std::chrono::milliseconds;
using Kind = IceServer::Kind;

class GatherTest : public testing::Test {
  protected:
    PathDescription gather(std::vector<IceServer> servers) {
        const auto begun = Clock::now();
        auto ours = side.gather(1, true, {std::move(servers), true, false});
        took = Clock::now() - begun;
        return ours;
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
    Clock::duration took{};
};

TEST_F(GatherTest, ARelayThatIsThereFirstEndsNothingWhileStunAsksAgain) {
    StunServer stun{1};
    const TurnServer turn;
    const auto ours = gather({stun_at(stun.port()), turn_at(turn.port())});
    EXPECT_TRUE(has(ours, "relay"));
    EXPECT_TRUE(has(ours, "srflx")) << "its first request was lost";
    EXPECT_LT(took, milliseconds{950}) << "and nothing else is waited for";
}

TEST_F(GatherTest, AStunServerThatIsSilentIsNotWaitedForToTheEnd) {
    const StunServer stun{1000};
    const TurnServer turn;
    const auto ours = gather({stun_at(stun.port()), turn_at(turn.port())});
    EXPECT_TRUE(has(ours, "relay"));
    EXPECT_GT(took, milliseconds{600});
    EXPECT_LT(took, milliseconds{950});
}

TEST_F(GatherTest, WithoutRelaysTheServerReflexiveOneIsTheLast) {
    const StunServer stun{0};
    const auto ours = gather({stun_at(stun.port())});
    EXPECT_TRUE(has(ours, "srflx"));
    EXPECT_LT(took, milliseconds{500});
}

// The key server names them, and could have anything asked that way.
TEST_F(GatherTest, AServerOnThisMachineIsAskedOnlyWhereThatMayBe) {
    for (const auto* const host : {"127.0.0.1"}) {
        const StunServer stun{0};
        for (const bool loopback : {false, true}) {
            side.gather(loopback ? 2 : 1, true, {{{Kind::stun, host, stun.port(), "", ""}}, loopback, false});
            std::this_thread::sleep_for(milliseconds{100});
            side.act(EndPath{loopback ? 2U : 1U});
            EXPECT_EQ(stun.requests() > 0, loopback) << host;
        }
    }
}

}  // namespace
}  // namespace sotto::client::test
