// Direct sessions between the real programs: with the key server, without it, and not for everybody.
#include <csignal>

#include "integration/world.hpp"

namespace sotto::test {
namespace {

constexpr std::chrono::seconds patience{60};

class DirectProgramTest : public testing::Test {
  protected:
    static Process chat(const Person& person, const std::string& with) {
        return Process{person.command({"chat", "--plain", with})};
    }
    static bool ended_well(Process& process) { return process.wait(patience).value_or(Exited{}).ok(); }
    static void allow(const Person& person, const std::string& whom) {
        EXPECT_TRUE(person.run({"contact", "set", whom, "--direct", "on"}).exit.ok());
    }
    World world;
};

TEST_F(DirectProgramTest, TwoGoOnWhereTheServerIsGone) {
    allow(world.alice(), "bob");
    allow(world.bob(), "alice");
    auto alice = chat(world.alice(), "bob");
    auto bob = chat(world.bob(), "alice");
    ASSERT_TRUE(alice.wait_for("bob is online", patience)) << alice.output();
    ASSERT_TRUE(bob.wait_for("alice is online", patience)) << bob.output();
    alice.write("by the server\n");
    ASSERT_TRUE(alice.wait_for("bob: direct now", patience)) << alice.output() << alice.errors();
    ASSERT_TRUE(bob.wait_for("alice: direct now", patience)) << bob.output() << bob.errors();
    ASSERT_TRUE(alice.wait_for("#1 delivered", patience)) << alice.output();

    world.server().kill();
    alice.write("without it\n");
    EXPECT_TRUE(bob.wait_for(": without it", patience)) << bob.output();
    EXPECT_TRUE(alice.wait_for("#2 delivered", patience)) << alice.output();
    bob.write("still here\n");
    EXPECT_TRUE(alice.wait_for(": still here", patience)) << alice.output();

    // Bob dies: what he is sent now waits, and comes once both are back at the server.
    bob.kill(SIGKILL);
    ASSERT_TRUE(alice.wait_for("bob: by the server again", patience)) << alice.output();
    alice.write("for later\n");
    world.server().start();
    auto again = chat(world.bob(), "alice");
    EXPECT_TRUE(again.wait_for(": for later", patience)) << again.output();
    EXPECT_TRUE(alice.wait_for("#3 delivered", patience)) << alice.output();
    alice.write("/quit\n");
    EXPECT_TRUE(ended_well(alice));
    again.write("/quit\n");
    EXPECT_TRUE(ended_well(again));
    const auto said = world.bob().run({"history", "alice"});
    for (const auto* const text : {"by the server", "without it", "for later"}) {
        const auto first = said.output.find(text);
        EXPECT_NE(first, std::string::npos) << text;
        EXPECT_EQ(said.output.find(text, first + 1), std::string::npos) << text << " is there once";
    }
}

TEST_F(DirectProgramTest, NobodyIsReachedDirectlyWhoMayNot) {
    allow(world.alice(), "bob");
    EXPECT_TRUE(world.bob().run({"contact", "set", "alice", "--direct", "off"}).exit.ok());
    auto alice = chat(world.alice(), "bob");
    auto bob = Process{world.bob().command({"--verbose", "chat", "--plain", "alice"})};
    ASSERT_TRUE(alice.wait_for("bob is online", patience)) << alice.output();
    alice.write("hello\n/direct\n");
    ASSERT_TRUE(alice.wait_for("no direct path came about", patience)) << alice.output();
    EXPECT_TRUE(bob.wait_for(": hello", patience)) << bob.output();
    bob.write("/direct\n");
    EXPECT_TRUE(bob.wait_for("may not learn your network address", patience)) << bob.output();
    bob.write("/quit\n");
    EXPECT_TRUE(ended_well(bob));
    EXPECT_EQ(bob.errors().find("candidates"), std::string::npos) << "Bob's client gathered nothing";
    alice.write("/quit\n");
    EXPECT_TRUE(ended_well(alice));
}

TEST_F(DirectProgramTest, TheSettingIsKeptAndShown) {
    const auto& alice = world.alice();
    EXPECT_NE(alice.run({"direct"}).output.find("Verified contacts"), std::string::npos);
    EXPECT_TRUE(alice.run({"direct", "off"}).exit.ok());
    EXPECT_EQ(json_lines(alice.run({"--json", "direct"}).output).at(0)["direct"], "off");
    EXPECT_EQ(json_lines(alice.run({"--json", "status"}).output).at(0)["direct"], "off");
    EXPECT_EQ(json_lines(alice.run({"--json", "direct"}).output).at(0)["upnp"], false);
    EXPECT_EQ(json_lines(alice.run({"--json", "direct", "--upnp", "on"}).output).at(0)["upnp"], true);
    EXPECT_NE(alice.run({"direct", "verified"}).output.find("UPnP"), std::string::npos) << "it is kept";
    const auto wrong = alice.run({"direct", "sideways"});
    EXPECT_EQ(wrong.exit.code, 1);
    EXPECT_EQ(json_lines(alice.run({"--json", "contact", "set", "bob", "--direct", "default"}).output)
                  .at(0)["direct"],
              "default");
    const auto nothing = alice.run({"contact", "set", "bob"});
    EXPECT_EQ(nothing.exit.code, 1);
    EXPECT_TRUE(is_one_sentence(nothing.errors));
}

}  // namespace
}  // namespace sotto::test
