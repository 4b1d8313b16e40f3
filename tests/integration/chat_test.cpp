// `sotto chat` as people use it: three at once, on terminals and without.
#include <csignal>
#include <thread>

#include "integration/world.hpp"

namespace sotto::test {
namespace {

constexpr std::chrono::seconds patience{60};

class ChatProgramTest : public testing::Test {
  protected:
    ChatProgramTest() : carol(world.folder(), "carol") {
        EXPECT_TRUE(carol.init(world.server()).exit.ok());
        World::acquaint(world.alice(), carol);
    }
    /// With its input and output in pipes.
    static Process plain(const Person& person, const std::vector<std::string>& more = {}) {
        return Process{command(person, more)};
    }
    static Process on_terminal(const Person& person, const std::vector<std::string>& more = {}) {
        auto out = command(person, more);
        out.terminal = true;
        out.environment["TERM"] = "xterm";
        out.environment["LANG"] = out.environment["LC_ALL"] = "C.UTF-8";
        return Process{out};
    }
    static bool ended_well(Process& process) { return process.wait(patience).value_or(Exited{}).ok(); }

    World world;
    Person carol;

  private:
    static Command command(const Person& person, const std::vector<std::string>& more) {
        std::vector<std::string> words{"chat"};
        words.insert(words.end(), more.begin(), more.end());
        return person.command(words);
    }
};

TEST_F(ChatProgramTest, ThreePeopleInTwoChats) {
    auto alice = plain(world.alice(), {"bob"});
    auto bob = plain(world.bob(), {"alice"});
    auto third = plain(carol, {"alice"});
    alice.write("hello bob\n@carol hello carol\n");
    EXPECT_TRUE(bob.wait_for(": hello bob", patience)) << bob.output();
    EXPECT_TRUE(third.wait_for(": hello carol", patience)) << third.output();
    EXPECT_TRUE(alice.wait_for("#1 delivered", patience)) << alice.output();
    EXPECT_TRUE(alice.wait_for("#2 delivered", patience)) << alice.output();
    third.write("for later\n");
    EXPECT_TRUE(alice.wait_for("carol: 1 unread, /switch carol", patience)) << alice.output();
    EXPECT_EQ(alice.output().find("for later"), std::string::npos) << "she is with Bob";
    alice.write("/switch carol\n");
    EXPECT_TRUE(alice.wait_for("carol: for later", patience)) << alice.output();
    EXPECT_TRUE(alice.wait_for("bob is online", patience)) << alice.output();
    bob.write("/quit\n");
    EXPECT_TRUE(ended_well(bob));
    EXPECT_TRUE(alice.wait_for("bob is offline", patience)) << "seen to leave: " << alice.output();
    alice.close_input();
    EXPECT_TRUE(ended_well(alice)) << "the end of its input is its end";
    third.kill(SIGTERM);
    EXPECT_TRUE(ended_well(third));
    EXPECT_EQ(alice.output().find('\x1b'), std::string::npos) << "no terminal, no escapes";
}

TEST_F(ChatProgramTest, OnATerminalLinesComeAboveWhatIsTyped) {
    if (!terminals_work()) GTEST_SKIP() << "there are no pseudo-terminals here";
    auto alice = on_terminal(world.alice(), {"bob"});
    auto bob = plain(world.bob(), {"alice"});
    ASSERT_TRUE(alice.wait_for("With bob", patience)) << alice.output();
    // Half a line, then something comes, then the rest.
    alice.write("half a ");
    ASSERT_TRUE(alice.wait_for("half a ", patience)) << alice.output();
    bob.write("meanwhile\n");
    ASSERT_TRUE(alice.wait_for(": meanwhile", patience)) << alice.output();
    alice.write("line\r");
    EXPECT_TRUE(bob.wait_for(": half a line", patience)) << bob.output();
    // Completion, and a line that is cleared.
    alice.write("/swi\tcar\t\r");
    EXPECT_TRUE(alice.wait_for("With carol", patience)) << alice.output();
    alice.write("never sent\x03/quit\r");
    EXPECT_TRUE(ended_well(alice)) << alice.output();
    bob.write("/quit\n");
    EXPECT_TRUE(ended_well(bob));
    const auto history = world.alice().run({"history", "carol"});
    EXPECT_EQ(history.output.find("never sent"), std::string::npos) << history.output;
}

/// What stands behind the last carriage return: the line that is being typed, where nothing was typed yet.
std::string last_prompt(const std::string& output) {
    const auto feed = output.rfind('\n');
    auto line = feed == std::string::npos ? output : output.substr(feed + 1);
    // Without the terminal's own commands.
    for (auto at = line.find('\x1b'); at != std::string::npos; at = line.find('\x1b')) {
        const auto end = line.find_first_of("ABCDHJKhlm", at);
        line.erase(at, end == std::string::npos ? end : end - at + 1);
    }
    const auto back = line.rfind('\r');
    return back == std::string::npos ? line : line.substr(back + 1);
}

TEST_F(ChatProgramTest, ThePromptNamesWhomBareTextGoesTo) {
    if (!terminals_work()) GTEST_SKIP() << "there are no pseudo-terminals here";
    auto alice = on_terminal(world.alice(), {"bob"});
    ASSERT_TRUE(alice.wait_for("With bob", patience)) << alice.output();
    for (const auto* const name : {"carol", "bob", "carol"}) {
        const auto before = alice.output().size();
        alice.write("/switch " + std::string{name} + "\r");
        const auto wanted = std::string{name} + "> ";
        const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{5};
        while (last_prompt(alice.output()) != wanted && std::chrono::steady_clock::now() < until)
            std::this_thread::sleep_for(std::chrono::milliseconds{20});
        EXPECT_EQ(last_prompt(alice.output()), wanted) << alice.output().substr(before);
        // From the answer on no other prompt is drawn.
        const auto output = alice.output();
        const auto answer = output.find("With " + std::string{name}, before);
        ASSERT_NE(answer, std::string::npos);
        const auto* const other = std::string{name} == "bob" ? "carol> " : "bob> ";
        EXPECT_EQ(output.find(other, answer), std::string::npos) << output.substr(before);
    }
    alice.write("/quit\r");
    EXPECT_TRUE(ended_well(alice));
}

TEST_F(ChatProgramTest, APasteOfSeveralLinesIsOneMessage) {
    if (!terminals_work()) GTEST_SKIP() << "there are no pseudo-terminals here";
    auto alice = on_terminal(world.alice(), {"bob"});
    auto bob = plain(world.bob(), {"alice"});
    ASSERT_TRUE(alice.wait_for("With bob", patience)) << alice.output();
    EXPECT_NE(alice.output().find("\x1b[?2004h"), std::string::npos) << "it asks for pastes to be marked";
    alice.write("\x1b[200~/block confirm\r@carol never sent\r/quit\r\x1b[201~");
    ASSERT_TRUE(alice.wait_for("\u2424/quit", patience)) << alice.output();
    EXPECT_FALSE(alice.wait(std::chrono::seconds{1})) << "nothing is done before the line is ended";
    EXPECT_EQ(alice.output().find("#1 to"), std::string::npos);
    alice.write("\r");
    EXPECT_TRUE(bob.wait_for(": /block confirm\n    @carol never sent\n    /quit\n", patience))
        << bob.output();
    EXPECT_TRUE(alice.wait_for("#1 delivered", patience)) << alice.output();
    alice.write("/quit\r");
    EXPECT_TRUE(ended_well(alice));
    EXPECT_GT(alice.output().rfind("\x1b[?2004l"), alice.output().rfind("\x1b[?2004h")) << "not any more";
}

TEST_F(ChatProgramTest, LinesAreAsWideAsTheTerminal) {
    if (!terminals_work()) GTEST_SKIP() << "there are no pseudo-terminals here";
    const auto text = "begin" + std::string(70, ' ') + "12:06 carol: forged";
    ASSERT_TRUE(world.bob().run({"send", "alice", text}).exit.ok());
    auto alice = on_terminal(world.alice(), {"bob"});
    ASSERT_TRUE(alice.wait_for(": begin", patience)) << alice.output();
    EXPECT_TRUE(alice.wait_for("\n    12:06 carol: forged", patience)) << alice.output();
    alice.write("/quit\r");
    EXPECT_TRUE(ended_well(alice));
    auto again = plain(world.alice(), {"bob"});
    EXPECT_TRUE(again.wait_for("begin<70 blanks>12:06 carol: forged", patience)) << again.output();
    again.write("/quit\n");
    EXPECT_TRUE(ended_well(again));
}

TEST_F(ChatProgramTest, NothingFromOutsidePaintsOnATerminal) {
    if (!terminals_work()) GTEST_SKIP() << "there are no pseudo-terminals here";
    auto alice = on_terminal(world.alice(), {"bob"});
    ASSERT_TRUE(alice.wait_for("With bob", patience)) << alice.output();
    ASSERT_TRUE(world.bob()
                    .run({"send", "alice",
                          "\x1b]0;owned\x07\xe2\x80\xae"
                          "evil"})
                    .exit.ok());
    EXPECT_TRUE(alice.wait_for("evil", patience)) << alice.output();
    EXPECT_EQ(alice.output().find("\x1b]0;"), std::string::npos);
    EXPECT_EQ(alice.output().find('\x07'), std::string::npos);
    EXPECT_EQ(alice.output().find("\xe2\x80\xae"), std::string::npos);
    alice.write("/quit\r");
    EXPECT_TRUE(ended_well(alice));
}

TEST_F(ChatProgramTest, LeavesNothingReadableOnDisk) {
    auto alice = plain(world.alice(), {"bob"});
    alice.write("the persimmon is ripe\n");
    EXPECT_TRUE(alice.wait_for("persimmon", patience));
    alice.write("/quit\n");
    EXPECT_TRUE(ended_well(alice));
    EXPECT_TRUE(files_with(world.folder(), "persimmon").empty());
}

TEST_F(ChatProgramTest, RefusesWhatItIsNot) {
    const auto json = world.alice().run({"--json", "chat"});
    EXPECT_EQ(json.exit.code, 1);
    EXPECT_TRUE(is_one_sentence(json.errors));
    const auto nobody = world.alice().run({"chat", "nobody"});
    EXPECT_EQ(nobody.exit.code, 1);
    EXPECT_TRUE(is_one_sentence(nobody.errors));
}

}  // namespace
}  // namespace sotto::test
