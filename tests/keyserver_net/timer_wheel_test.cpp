// When entries are due, to the tick.
#include "keyserver/net/timer_wheel.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "sotto/crypto/random.hpp"

namespace sotto::keyserver {
namespace {

constexpr std::uint64_t begin = 5000;

class TimerWheelTest : public testing::Test {
  protected:
    /// Which of `entries` were due on the way to this tick.
    std::vector<std::size_t> advance(std::uint64_t tick) {
        std::vector<std::size_t> out;
        wheel.advance(tick, [&](TimerWheel::Entry& entry) {
            EXPECT_FALSE(entry.is_set());
            for (std::size_t i = 0; i < entries.size(); ++i)
                if (&entries[i] == &entry) out.push_back(i);
        });
        std::ranges::sort(out);
        return out;
    }
    using Due = std::vector<std::size_t>;

    std::vector<TimerWheel::Entry> entries{4};
    TimerWheel wheel{begin};
};

TEST_F(TimerWheelTest, AnEntryIsDueAtItsTickAndNotBeforeAndOnce) {
    wheel.set(entries[0], begin + 3);
    EXPECT_EQ(advance(begin + 2), Due{});
    EXPECT_EQ(advance(begin + 3), Due{0});
    EXPECT_EQ(advance(begin + 4), Due{});
    EXPECT_EQ(advance(begin + 2 * TimerWheel::slots), Due{});
}

TEST_F(TimerWheelTest, ATickThatHasPassedIsTheNextOne) {
    wheel.set(entries[0], begin);
    wheel.set(entries[1], 0);
    EXPECT_EQ(advance(begin), Due{});
    EXPECT_EQ(advance(begin + 1), (Due{0, 1}));
}

TEST_F(TimerWheelTest, LaterRoundsWaitInTheSameSlot) {
    wheel.set(entries[0], begin + 7);
    wheel.set(entries[1], begin + 7 + TimerWheel::slots);
    wheel.set(entries[2], begin + 7 + 2 * TimerWheel::slots);
    EXPECT_EQ(advance(begin + 7), Due{0});
    EXPECT_EQ(advance(begin + 6 + TimerWheel::slots), Due{});
    EXPECT_EQ(advance(begin + 7 + TimerWheel::slots), Due{1});
    EXPECT_EQ(advance(begin + 7 + 2 * TimerWheel::slots), Due{2});
}

TEST_F(TimerWheelTest, AJumpOverManyRoundsForgetsNothing) {
    wheel.set(entries[0], begin + 1);
    wheel.set(entries[1], begin + TimerWheel::slots);
    wheel.set(entries[2], begin + 3 * TimerWheel::slots + 5);
    wheel.set(entries[3], begin + 50 * TimerWheel::slots + 1);
    EXPECT_EQ(advance(begin + 50 * TimerWheel::slots), (Due{0, 1, 2}));
    EXPECT_EQ(advance(begin + 50 * TimerWheel::slots + 1), Due{3});
}

TEST_F(TimerWheelTest, SettingAgainMovesAndCancellingForgets) {
    wheel.set(entries[0], begin + 2);
    wheel.set(entries[0], begin + 9);
    wheel.set(entries[1], begin + 2);
    TimerWheel::cancel(entries[1]);
    TimerWheel::cancel(entries[2]);  // was never set
    EXPECT_EQ(advance(begin + 8), Due{});
    EXPECT_EQ(advance(begin + 9), Due{0});
}

TEST_F(TimerWheelTest, WhatIsDueMaySetCancelAndDestroyOthersOfTheSameTick) {
    auto doomed = std::make_unique<TimerWheel::Entry>();
    wheel.set(*doomed, begin + 1);
    for (auto& entry : entries) wheel.set(entry, begin + 1);
    int calls = 0;
    wheel.advance(begin + 1, [&](TimerWheel::Entry& entry) {
        ++calls;
        doomed.reset();
        for (auto& other : entries)
            if (&other != &entry) TimerWheel::cancel(other);
        wheel.set(entry, begin + 1);  // has passed: the next one
    });
    EXPECT_EQ(calls, 1);
    EXPECT_EQ(advance(begin + 2).size(), 1U);
}

TEST_F(TimerWheelTest, EntriesOutliveItAndItOutlivesEntries) {
    {
        TimerWheel shorter;
        shorter.set(entries[0], 3);
        TimerWheel::Entry gone;
        shorter.set(gone, 3);
    }
    EXPECT_FALSE(entries[0].is_set());
    {
        TimerWheel::Entry gone;
        wheel.set(gone, begin + 1);
    }
    EXPECT_EQ(advance(begin + 1), Due{});
}

TEST_F(TimerWheelTest, DoesWhatASortedListWouldDo) {
    crypto::SeededRng rng{7};
    std::vector<TimerWheel::Entry> many(300);
    std::vector<std::uint64_t> expected(many.size(), 0);  // 0: not set
    std::uint64_t time = begin;
    for (int round = 0; round < 2000; ++round) {
        const auto i = rng.below(static_cast<std::uint32_t>(many.size()));
        if (rng.below(4) == 0) {
            TimerWheel::cancel(many[i]);
            expected[i] = 0;
        } else {
            const std::uint64_t at = time + rng.below(3 * TimerWheel::slots);
            wheel.set(many[i], at);
            expected[i] = std::max(at, time + 1);
        }
        time += rng.below(round % 100 == 0 ? 2 * TimerWheel::slots : 3);
        std::size_t due = 0;
        wheel.advance(time, [&](TimerWheel::Entry& entry) {
            const auto which = static_cast<std::size_t>(&entry - many.data());
            EXPECT_NE(expected[which], 0U);
            EXPECT_LE(expected[which], time);
            expected[which] = 0;
            ++due;
        });
        for (const auto at : expected) ASSERT_TRUE(at == 0 || at > time);
    }
}

}  // namespace
}  // namespace sotto::keyserver
