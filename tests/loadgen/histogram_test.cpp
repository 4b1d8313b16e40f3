#include "bench/loadgen/histogram.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sotto::loadgen {
namespace {

TEST(Histogram, without_times_every_share_is_zero) {
    const Histogram empty;
    EXPECT_EQ(empty.count(), 0U);
    EXPECT_EQ(empty.at(0.5), 0U);
    EXPECT_EQ(empty.longest(), 0U);
}

TEST(Histogram, small_times_are_kept_exactly) {
    Histogram times;
    for (int us = 1; us <= 60; ++us) times.add(us);
    EXPECT_EQ(times.at(0.5), 30U);
    EXPECT_EQ(times.at(1), 60U);
    EXPECT_EQ(times.at(0), 1U);
}

TEST(Histogram, a_share_is_a_time_that_so_many_keep_to) {
    Histogram times;
    for (int i = 0; i < 990; ++i) times.add(10);
    for (int i = 0; i < 10; ++i) times.add(50);
    EXPECT_EQ(times.at(0.5), 10U);
    EXPECT_EQ(times.at(0.99), 10U);
    EXPECT_EQ(times.at(0.991), 50U);
    EXPECT_EQ(times.at(0.999), 50U);
}

TEST(Histogram, large_times_are_off_by_less_than_a_64th_and_never_too_small) {
    for (std::int64_t us = 64; us < std::int64_t{1} << 39; us = us * 9 / 8 + 1) {
        Histogram times;
        times.add(us);
        times.add(us * 2);  // the longest alone would be known exactly
        const auto found = static_cast<std::int64_t>(times.at(0.5));
        EXPECT_GE(found, us);
        EXPECT_LE(found - us, us / 64) << us;
    }
}

TEST(Histogram, neighbours_of_a_power_of_two_keep_their_order) {
    for (int bits = 6; bits < 40; ++bits) {
        Histogram times;
        const auto power = std::int64_t{1} << bits;
        times.add(power - 1);
        times.add(power);
        times.add(power * 4);
        EXPECT_EQ(times.at(0.33), static_cast<std::uint64_t>(power - 1));
        EXPECT_GE(times.at(0.66), static_cast<std::uint64_t>(power));
    }
}

TEST(Histogram, times_beyond_its_ends_are_counted_at_them) {
    Histogram times;
    times.add(-5);
    EXPECT_EQ(times.at(1), 0U);
    times.add(std::int64_t{1} << 50);
    EXPECT_EQ(times.at(1), (std::uint64_t{1} << 40) - 1);
    EXPECT_EQ(times.count(), 2U);
}

TEST(Histogram, two_that_are_merged_are_as_one_that_had_all_the_times) {
    Histogram first;
    Histogram second;
    Histogram all;
    for (int i = 0; i < 5000; ++i) {
        const auto us = (i * 7919) % 100'003;
        (i % 3 == 0 ? first : second).add(us);
        all.add(us);
    }
    first.merge(second);
    EXPECT_EQ(first.count(), all.count());
    EXPECT_EQ(first.longest(), all.longest());
    for (const double share : {0.01, 0.5, 0.99, 0.999, 1.0}) EXPECT_EQ(first.at(share), all.at(share));
}

}  // namespace
}  // namespace sotto::loadgen
