// Who is there, as two people and a key server see it.
#include <csignal>
#include <thread>

#include "integration/world.hpp"

namespace sotto::test {
namespace {

using nlohmann::json;

class WhoTest : public testing::Test {
  protected:
    /// What `who` says of the one contact that there is.
    static json who(const Person& person) {
        const auto said = person.run({"--json", "who"});
        EXPECT_TRUE(said.exit.ok()) << said.errors;
        const auto lines = json_lines(said.output);
        EXPECT_EQ(lines.size(), 1U) << said.output;
        return lines.empty() ? json::object() : lines.front();
    }
    /// Looks until the contact is seen so, reading the mailbox in between.
    static json sees(const Person& person, const std::string& status) {
        auto seen = json::object();
        for (int i = 0; i < 20 && seen.value("status", "") != status; ++i) {
            EXPECT_TRUE(person.run({"receive"}).exit.ok());
            seen = who(person);
        }
        EXPECT_EQ(seen.value("status", ""), status);
        return seen;
    }
    static bool ended_well(Process& process) {
        return process.wait(std::chrono::seconds{20}).value_or(Exited{}).ok();
    }
    static Process follow(const Person& person) { return Process{person.command({"receive", "--follow"})}; }

    /// The last line of `who --follow` has this status, or gets it in time.
    static bool says(const Process& watching, const std::string& status) {
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{20};
        while (std::chrono::steady_clock::now() < end) {
            const auto said = watching.output();
            const auto lines = json_lines(said.substr(0, said.rfind('\n') + 1));
            if (!lines.empty() && lines.back()["status"] == status) return true;
            std::this_thread::sleep_for(std::chrono::milliseconds{20});
        }
        return false;
    }

    World world;
};

TEST_F(WhoTest, IsSeenFromComingToLeaving) {
    auto& alice = world.alice();
    auto& bob = world.bob();
    EXPECT_EQ(who(bob)["status"], "unknown") << "nothing was ever shown";
    {
        auto running = follow(alice);
        const auto seen = sees(bob, "online");
        EXPECT_EQ(seen["contact"], "alice");
        EXPECT_EQ(seen["text"], "");
        EXPECT_TRUE(seen["since"].is_string());
        const auto table = bob.run({"who"});
        EXPECT_NE(table.output.find("alice  online"), std::string::npos) << table.output;
        running.kill(SIGTERM);
        EXPECT_TRUE(ended_well(running));
    }
    EXPECT_EQ(who(bob)["status"], "offline") << "at once";

    const auto chosen = alice.run({"presence", "away", "back at three"});
    EXPECT_TRUE(chosen.exit.ok()) << chosen.errors;
    EXPECT_NE(chosen.output.find("away (back at three)"), std::string::npos) << chosen.output;
    {
        auto running = follow(alice);
        EXPECT_EQ(sees(bob, "away")["text"], "back at three");
        running.kill(SIGKILL);
        std::ignore = running.wait(std::chrono::seconds{20});
        sees(bob, "offline");
    }
    EXPECT_EQ(json_lines(alice.run({"--json", "presence"}).output).at(0),
              (json{{"presence", "away"}, {"text", "back at three"}}));
}

TEST_F(WhoTest, IsHiddenFromWhomThePersonSays) {
    auto& alice = world.alice();
    auto& bob = world.bob();
    {
        auto running = follow(alice);
        sees(bob, "online");
        running.kill(SIGTERM);
        EXPECT_TRUE(ended_well(running));
    }
    const auto set = alice.run({"contact", "set", "bob", "--presence", "off"});
    EXPECT_TRUE(set.exit.ok()) << set.errors;
    {
        auto running = follow(alice);
        for (int i = 0; i < 4; ++i) EXPECT_EQ(who(bob)["status"], "offline");
        running.kill(SIGTERM);
        std::ignore = running.wait(std::chrono::seconds{20});
    }
    ASSERT_TRUE(alice.run({"contact", "set", "bob", "--presence", "on"}).exit.ok());
    ASSERT_TRUE(alice.run({"presence", "invisible"}).exit.ok());
    {
        auto running = follow(alice);
        for (int i = 0; i < 4; ++i) EXPECT_EQ(who(bob)["status"], "offline");
        running.kill(SIGTERM);
        std::ignore = running.wait(std::chrono::seconds{20});
    }
}

TEST_F(WhoTest, ChangesAreFollowed) {
    auto& alice = world.alice();
    auto& bob = world.bob();
    {
        auto running = follow(alice);
        sees(bob, "online");
        running.kill(SIGTERM);
        std::ignore = running.wait(std::chrono::seconds{20});
    }
    Process watching{bob.command({"--json", "who", "--follow"})};
    ASSERT_TRUE(watching.wait_for("offline", std::chrono::seconds{20}));
    auto running = follow(alice);
    EXPECT_TRUE(watching.wait_for("online", std::chrono::seconds{20}));
    running.kill(SIGTERM);
    std::ignore = running.wait(std::chrono::seconds{20});
    watching.kill(SIGTERM);
    EXPECT_TRUE(ended_well(watching)) << watching.errors();
    std::vector<std::string> statuses;
    for (const auto& line : json_lines(watching.output())) statuses.push_back(line["status"]);
    EXPECT_GE(statuses.size(), 2U);
    EXPECT_EQ(statuses.at(0), "offline");
    EXPECT_EQ(statuses.at(1), "online");
}

TEST_F(WhoTest, WhoLeavesIsSeenToAtOnceAndWhoDiesWithinSeconds) {
    auto& alice = world.alice();
    auto& bob = world.bob();
    {
        auto running = follow(alice);
        sees(bob, "online");
        running.kill(SIGTERM);
        EXPECT_TRUE(ended_well(running));
    }
    Process watching{bob.command({"--json", "who", "--follow"})};
    ASSERT_TRUE(watching.wait_for("offline", std::chrono::seconds{20}));
    // How long after the signal Bob is told.
    const auto told_after = [&](int signal) {
        auto running = follow(alice);
        EXPECT_TRUE(says(watching, "online"));
        const auto begin = std::chrono::steady_clock::now();
        running.kill(signal);
        EXPECT_TRUE(says(watching, "offline"));
        const auto end = std::chrono::steady_clock::now();
        std::ignore = running.wait(std::chrono::seconds{20});
        return end - begin;
    };
    EXPECT_LT(told_after(SIGTERM), std::chrono::seconds{5});
    const auto died = told_after(SIGKILL);
    EXPECT_GT(died, std::chrono::seconds{8}) << "it might have been back";
    EXPECT_LT(died, std::chrono::seconds{25});
    watching.kill(SIGTERM);
    EXPECT_TRUE(ended_well(watching)) << watching.errors();
    std::vector<std::string> statuses;
    for (const auto& line : json_lines(watching.output())) {
        const auto status = line["status"].get<std::string>();
        if (statuses.empty() || statuses.back() != status) statuses.push_back(status);
    }
    EXPECT_EQ(statuses, (std::vector<std::string>{"offline", "online", "offline", "online", "offline"}));
}

TEST_F(WhoTest, WhatCantBeSetIsRefused) {
    auto& alice = world.alice();
    const auto tries = [&](const std::vector<std::string>& words) {
        const auto finished = alice.run(words);
        EXPECT_EQ(finished.exit.code, 1) << finished.output;
        EXPECT_TRUE(is_one_sentence(finished.errors));
    };
    tries({"presence", "sleeping"});
    tries({"presence", "away", std::string(129, 'x')});
    tries({"contact", "set", "nobody", "--presence", "off"});
    tries({"contact", "set", "bob", "--presence", "sometimes"});
    tries({"contact", "set", "bob"});
    EXPECT_EQ(json_lines(alice.run({"--json", "presence"}).output).at(0),
              (json{{"presence", "online"}, {"text", ""}}));
}

TEST_F(WhoTest, ATextPaintsNothingOnTheScreen) {
    auto& alice = world.alice();
    auto& bob = world.bob();
    ASSERT_TRUE(alice
                    .run({"presence", "busy",
                          "\x1b[2J\xe2\x80\xae"
                          "evil\n"})
                    .exit.ok());
    auto running = follow(alice);
    sees(bob, "busy");
    const auto table = bob.run({"who"});
    EXPECT_EQ(table.output.find('\x1b'), std::string::npos);
    EXPECT_EQ(table.output.find("\xe2\x80\xae"), std::string::npos);
    EXPECT_EQ(std::ranges::count(table.output, '\n'), 1);
    running.kill(SIGTERM);
    std::ignore = running.wait(std::chrono::seconds{20});
}

}  // namespace
}  // namespace sotto::test
