#include "bench/loadgen/backoff.hpp"

#include <gtest/gtest.h>

#include <set>

namespace sotto::loadgen {
namespace {

using std::chrono::milliseconds;

TEST(Backoff, steps_double_up_to_the_longest_and_begin_anew_after_a_success) {
    crypto::SeededRng rng(1);
    Backoff backoff;
    auto step = Backoff::first;
    for (int i = 0; i < 12; ++i) {
        const auto wait = backoff.next(milliseconds{0}, rng);
        EXPECT_GE(wait, step / 2);
        EXPECT_LE(wait, step / 2 + step);
        step = std::min(step * 2, Backoff::most);
    }
    EXPECT_EQ(step, Backoff::most);
    backoff.reset();
    EXPECT_LE(backoff.next(milliseconds{0}, rng), Backoff::first * 3 / 2);
}

TEST(Backoff, never_sooner_than_the_server_has_asked_for) {
    crypto::SeededRng rng(2);
    for (int i = 0; i < 200; ++i) {
        Backoff backoff;
        const auto wait = backoff.next(milliseconds{5000}, rng);
        EXPECT_GE(wait, milliseconds{5000});
        EXPECT_LE(wait, milliseconds{10'000});
    }
}

TEST(Backoff, clients_that_were_told_the_same_come_at_moments_of_their_own) {
    crypto::SeededRng rng(3);
    std::set<milliseconds> moments;
    for (int i = 0; i < 100; ++i) {
        Backoff backoff;
        moments.insert(backoff.next(milliseconds{2000}, rng));
    }
    EXPECT_GT(moments.size(), 80U);
    EXPECT_LT(*moments.begin(), milliseconds{2400});
    EXPECT_GT(*moments.rbegin(), milliseconds{3600});
}

}  // namespace
}  // namespace sotto::loadgen
