// Strangers at the limit and one past it.
#include "keyserver/net/gate.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>

namespace sotto::keyserver {
namespace {

using Verdict = Gate::Verdict;

Gate::Source source(const char* text) {
    std::array<unsigned char, 16> address{};
    EXPECT_EQ(inet_pton(AF_INET6, text, address.data()), 1) << text;
    return Gate::source_of(address);
}

constexpr std::uint64_t now = 1'000'000;
constexpr Gate::Source alice = 1;
constexpr Gate::Source bob = 2;

TEST(GateTest, GrantsSoManyConnectionsAtATimeAndNotOneMore) {
    Gate gate{{.connections = 3, .burst = 100, .per_second = 100}};
    for (int i = 0; i < 3; ++i) EXPECT_EQ(gate.enter(alice, now), Verdict::granted);
    EXPECT_EQ(gate.enter(alice, now), Verdict::too_many);
    EXPECT_EQ(gate.enter(bob, now), Verdict::granted);
    gate.leave(alice);
    EXPECT_EQ(gate.enter(alice, now), Verdict::granted);
    EXPECT_EQ(gate.enter(alice, now), Verdict::too_many);
}

TEST(GateTest, GrantsSoManyNewConnectionsAtOnceAndThenAtTheRate) {
    Gate gate{{.connections = 100, .burst = 4, .per_second = 2}};
    const auto come_and_go = [&](std::uint64_t at) {
        const auto verdict = gate.enter(alice, at);
        if (verdict == Verdict::granted) gate.leave(alice);
        return verdict;
    };
    for (int i = 0; i < 4; ++i) EXPECT_EQ(come_and_go(now), Verdict::granted);
    EXPECT_EQ(come_and_go(now), Verdict::too_fast);
    EXPECT_EQ(gate.enter(bob, now), Verdict::granted);
    EXPECT_EQ(come_and_go(now + 499), Verdict::too_fast);
    EXPECT_EQ(come_and_go(now + 500), Verdict::granted);
    EXPECT_EQ(come_and_go(now + 500), Verdict::too_fast);
}

TEST(GateTest, NoughtIsNoLimit) {
    Gate gate{{.connections = 0, .burst = 1, .per_second = 0}};
    for (int i = 0; i < 10'000; ++i) EXPECT_EQ(gate.enter(alice, now), Verdict::granted);
}

TEST(GateTest, TellsStrangersApartByAddressOrByTheFirst64Bits) {
    EXPECT_EQ(source("2001:db8:1:2::1"), source("2001:db8:1:2:ffff:ffff:ffff:ffff"));
    EXPECT_NE(source("2001:db8:1:2::1"), source("2001:db8:1:3::1"));
    EXPECT_NE(source("::ffff:192.0.2.1"), source("::ffff:192.0.2.2"));
    EXPECT_NE(source("::ffff:192.0.2.1"), source("::1"));
}

TEST(GateTest, NewLimitsHoldForThoseWhoAreThereAlready) {
    Gate gate{{.connections = 1, .burst = 1, .per_second = 1}};
    EXPECT_EQ(gate.enter(alice, now), Verdict::granted);
    EXPECT_EQ(gate.enter(alice, now), Verdict::too_many);
    gate.set({.connections = 3, .burst = 1, .per_second = 1});
    EXPECT_EQ(gate.enter(alice, now), Verdict::granted);
    EXPECT_EQ(gate.enter(alice, now), Verdict::too_fast);
}

TEST(GateTest, ForgetsStrangersWhoAreGoneHoweverManyThereWere) {
    Gate gate{{.connections = 2, .burst = 10, .per_second = 1}};
    EXPECT_EQ(gate.enter(7, now), Verdict::granted);
    EXPECT_EQ(gate.enter(7, now), Verdict::granted);
    for (Gate::Source stranger = 100; stranger < 100 + 4 * Gate::most_tracked; ++stranger) {
        ASSERT_EQ(gate.enter(stranger, now), Verdict::granted);
        gate.leave(stranger);
        ASSERT_LE(gate.tracked(), Gate::most_tracked + 1);
    }
    EXPECT_EQ(gate.enter(7, now), Verdict::too_many);  // not forgotten: it is still there
    gate.leave(99);                                    // nobody
}

TEST(GateTest, ForgetsWhatTellsNothingBeforeAnythingElse) {
    Gate gate{{.connections = 2, .burst = 2, .per_second = 1}};
    for (Gate::Source stranger = 0; stranger < 1023; ++stranger) {
        ASSERT_EQ(gate.enter(stranger, now), Verdict::granted);
        gate.leave(stranger);
    }
    for (int i = 0; i < 2; ++i) {
        EXPECT_EQ(gate.enter(5000, now + 10'000), Verdict::granted);
        gate.leave(5000);
    }
    EXPECT_EQ(gate.enter(5001, now + 10'000), Verdict::granted);
    EXPECT_EQ(gate.tracked(), 2U);
    EXPECT_EQ(gate.enter(5000, now + 10'000), Verdict::too_fast);
}

}  // namespace
}  // namespace sotto::keyserver
