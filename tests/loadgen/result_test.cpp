#include "bench/loadgen/result.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sotto::loadgen {
namespace {

Result some_result() {
    Result result;
    result.job = "relay";
    result.count = 1000;
    result.wall_s = 2;
    result.server_cpu_us = 16'000;
    result.clients = 4;
    result.server_pss_bytes = 40'000;
    for (int i = 0; i < 100; ++i) result.times.add(20);
    result.more["window"] = 4;
    return result;
}

TEST(Result, has_every_figure_by_its_name) {
    const auto json = to_json(some_result());
    for (const auto* const name :
         {"job", "count", "lost", "duplicated", "wall_s", "rate_per_s", "server_cpu_us_per_op",
          "server_pss_bytes_per_client", "p50_us", "p99_us", "p999_us", "max_us", "window", "troubles"})
        EXPECT_TRUE(json.contains(name)) << name;
    EXPECT_EQ(json["rate_per_s"], 500);
    EXPECT_EQ(json["server_cpu_us_per_op"], 16);
    EXPECT_EQ(json["server_pss_bytes_per_client"], 10'000);
    EXPECT_EQ(json["p50_us"], 20);
    EXPECT_EQ(json["window"], 4);
}

TEST(Result, what_is_not_known_is_null_and_not_zero) {
    auto result = some_result();
    result.server_cpu_us.reset();
    result.server_pss_bytes.reset();
    EXPECT_TRUE(to_json(result)["server_cpu_us_per_op"].is_null());
    EXPECT_TRUE(to_json(result)["server_pss_bytes_per_client"].is_null());
    auto nothing_done = some_result();
    nothing_done.count = 0;
    EXPECT_TRUE(to_json(nothing_done)["server_cpu_us_per_op"].is_null());
}

TEST(Result, is_clean_only_if_something_was_done_and_nothing_was_lost_or_came_twice) {
    EXPECT_TRUE(some_result().clean());
    auto lost = some_result();
    lost.lost = 1;
    EXPECT_FALSE(lost.clean());
    auto twice = some_result();
    twice.duplicated = 1;
    EXPECT_FALSE(twice.clean());
    auto idle = some_result();
    idle.count = 0;
    EXPECT_FALSE(idle.clean());
}

TEST(Result, as_text_names_troubles_only_where_there_were_some) {
    auto result = some_result();
    EXPECT_THAT(to_text(result), testing::HasSubstr("server_cpu_us_per_op: 16"));
    EXPECT_THAT(to_text(result), testing::Not(testing::HasSubstr("troubles")));
    result.troubles["RATE"] = 3;
    EXPECT_THAT(to_text(result), testing::HasSubstr("\"RATE\":3"));
}

}  // namespace
}  // namespace sotto::loadgen
