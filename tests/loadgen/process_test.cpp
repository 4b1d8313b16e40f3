#include "bench/loadgen/process.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bench/loadgen/problem.hpp"

namespace sotto::loadgen {
namespace {

TEST(ParsePss, is_the_proportional_size_and_not_its_parts) {
    const std::string text =
        "55d0-7ffe ---p 00000000 00:00 0 [rollup]\nRss:  900 kB\nPss:  123 kB\nPss_Dirty:  7 kB\nPss_Anon: 5 "
        "kB\n";
    EXPECT_EQ(parse_pss(text), 123U * 1024);
}

TEST(ParsePss, is_nothing_where_the_line_is_missing_or_of_another_unit) {
    EXPECT_EQ(parse_pss(""), std::nullopt);
    EXPECT_EQ(parse_pss("Pss_Anon: 5 kB\n"), std::nullopt);
    EXPECT_EQ(parse_pss("Pss: 5 MB\n"), std::nullopt);
}

TEST(ServerProcess, counts_this_process_as_the_system_does) {
    const ServerProcess self(::getpid());
    const auto before = self.cpu_us();
    rusage used{};
    ASSERT_EQ(::getrusage(RUSAGE_SELF, &used), 0);
    const auto after = self.cpu_us();
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_usec);
    };
    EXPECT_GT(before, 0);
    EXPECT_GE(after, before);
    // The system rounds user and system time on their own.
    EXPECT_NEAR(seconds(used.ru_utime) + seconds(used.ru_stime), after, 1e6);
    EXPECT_GT(self.pss(), 100U * 1024);
}

TEST(ServerProcess, that_is_not_there_is_the_users_mistake) {
    try {
        const ServerProcess none(0x7FFFFFF0);
        FAIL() << "it was found";
    } catch (const Problem& problem) {
        EXPECT_EQ(problem.exit(), Exit::input);
        EXPECT_THAT(problem.what(), testing::HasSubstr("--server-pid"));
    }
}

TEST(AllowConnections, says_how_many_descriptors_are_missing) {
    rlimit limit{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
    EXPECT_EQ(allow_connections(1), std::nullopt);
    const auto sentence = allow_connections(limit.rlim_max);
    ASSERT_TRUE(sentence);
    EXPECT_THAT(*sentence, testing::HasSubstr(std::to_string(limit.rlim_max)));
    EXPECT_THAT(*sentence, testing::HasSubstr("ulimit"));
}

}  // namespace
}  // namespace sotto::loadgen
