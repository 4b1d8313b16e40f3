#include "bench/loadgen/told.hpp"

#include <gtest/gtest.h>

namespace sotto::loadgen {
namespace {

TEST(Told, is_complete_when_everyone_was_told_once) {
    Told told(3);
    told.begin(1, 2);
    EXPECT_FALSE(told.all());
    EXPECT_EQ(told.missing(), 2U);
    EXPECT_TRUE(told.hear(0, 1));
    EXPECT_EQ(told.missing(), 1U);
    EXPECT_TRUE(told.hear(2, 1));
    EXPECT_TRUE(told.all());
    EXPECT_EQ(told.twice(), 0U);
}

TEST(Told, does_not_take_the_same_person_twice_for_two) {
    Told told(2);
    told.begin(1, 2);
    EXPECT_TRUE(told.hear(0, 1));
    EXPECT_FALSE(told.hear(0, 1));
    EXPECT_EQ(told.missing(), 1U);
    EXPECT_EQ(told.twice(), 1U);
}

TEST(Told, counts_what_comes_after_the_last_one) {
    Told told(2);
    told.begin(7, 1);
    EXPECT_TRUE(told.hear(0, 7));
    EXPECT_TRUE(told.all());
    EXPECT_FALSE(told.hear(0, 7)) << "once more";
    EXPECT_FALSE(told.hear(1, 7)) << "and to somebody whom it does not concern";
    EXPECT_EQ(told.twice(), 2U);
}

TEST(Told, does_not_take_a_late_word_of_an_earlier_change_for_one_of_this) {
    Told told(2);
    EXPECT_FALSE(told.hear(0, 0)) << "before any";
    told.begin(0, 2);
    EXPECT_TRUE(told.hear(0, 0));
    EXPECT_TRUE(told.hear(1, 0));
    told.begin(5, 2);
    EXPECT_FALSE(told.hear(0, 0));
    EXPECT_EQ(told.missing(), 2U);
    EXPECT_TRUE(told.hear(0, 5));
    EXPECT_FALSE(told.hear(9, 5)) << "who is that";
    EXPECT_EQ(told.twice(), 3U);
    told.begin(0, 1);
    EXPECT_TRUE(told.hear(0, 0)) << "a number may come again after another one";
}

}  // namespace
}  // namespace sotto::loadgen
