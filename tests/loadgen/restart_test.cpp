#include "bench/loadgen/restart.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bench/loadgen/problem.hpp"

namespace sotto::loadgen {
namespace {

Exit failure_of(const std::string& command) {
    Restart restart({.command = command});
    try {
        (void)restart.finish();
    } catch (const Problem& problem) {
        return problem.exit();
    }
    return Exit::done;
}

TEST(Restart, takes_the_last_word_for_the_new_process) {
    Restart restart({.command = "echo the server has stopped; echo ready 4711"});
    EXPECT_EQ(restart.finish(), 4711);
}

TEST(Restart, without_a_command_is_none) {
    Restart restart({.command = ""});
    EXPECT_EQ(restart.finish(), std::nullopt);
}

TEST(Restart, that_fails_is_the_servers_problem) {
    EXPECT_EQ(failure_of("echo 4711; exit 1"), Exit::server);
}

TEST(Restart, that_names_no_process_is_the_users_mistake) {
    for (const auto* const command : {"true", "echo ready", "echo 12x", "echo -- -5", "echo 0"})
        EXPECT_EQ(failure_of(command), Exit::input) << command;
}

}  // namespace
}  // namespace sotto::loadgen
