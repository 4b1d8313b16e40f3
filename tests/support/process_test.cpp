#include "support/process.hpp"

#include <gtest/gtest.h>

#include <csignal>

namespace sotto::test {
namespace {

using namespace std::chrono_literals;

TEST(Process, TakesInputOutputAndExitCode) {
    const auto done = run({.args = {"sh", "-c", "cat; echo oops >&2; exit 7"}, .input = "hello\n"});
    EXPECT_EQ(done.exit.code, 7);
    EXPECT_EQ(done.output, "hello\n");
    EXPECT_EQ(done.errors, "oops\n");
}

TEST(Process, MovesMoreThanAPipeHolds) {
    const std::string much(1 << 20, 'x');
    const auto done = run({.args = {"cat"}, .input = much});
    EXPECT_TRUE(done.exit.ok());
    EXPECT_EQ(done.output, much);
}

TEST(Process, SetsEnvironmentDescriptorsAndFolder) {
    const TemporaryFolder folder;
    const auto done = run({.args = {"sh", "-c", "echo $WORD; cat <&3; pwd"},
                           .environment = {{"WORD", "blue"}},
                           .descriptors = {{3, "three\n"}},
                           .folder = folder.path()});
    EXPECT_EQ(done.output, "blue\nthree\n" + std::filesystem::canonical(folder.path()).string() + "\n");
}

TEST(Process, IsKilledAtItsTimeout) {
    const auto done = run({.args = {"sleep", "60"}}, 50ms);
    EXPECT_TRUE(done.timed_out);
    EXPECT_EQ(done.exit.signal, SIGKILL);
}

TEST(Process, CanBeTalkedToWhileItRuns) {
    Process process{Command{.args = {"cat"}}};
    process.write("one\n");
    EXPECT_TRUE(process.wait_for("one\n", 5s));
    EXPECT_FALSE(process.wait(10ms));
    process.kill(SIGTERM);
    const auto exit = process.wait(5s);
    ASSERT_TRUE(exit);
    EXPECT_EQ(exit->signal, SIGTERM);
}

TEST(Process, CanHaveATerminal) {
    if (!terminals_work()) GTEST_SKIP() << "no pseudo-terminal can be had here: mount devpts on /dev/pts";
    Process process{
        Command{.args = {"sh", "-c", "read line </dev/tty; echo got $line; tty"}, .terminal = true}};
    process.write("word\n");
    EXPECT_TRUE(process.wait_for("got word", 5s));
    EXPECT_TRUE(process.wait_for("/dev/pts/", 5s));
}

TEST(Process, ThatIsNotThereIsAnError) {
    EXPECT_THROW(Process(Command{.args = {"/no/such/program"}}), std::system_error);
}

}  // namespace
}  // namespace sotto::test
