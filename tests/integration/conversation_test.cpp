// Two people and a key server, as a person would use them.
#include <gtest/gtest.h>

#include "integration/world.hpp"

namespace sotto::test {
namespace {

using nlohmann::json;

TEST(Conversation, GoesBothWaysThroughTheServer) {
    World world;
    const auto sent = world.bob().run({"send", "alice", "hello"});
    ASSERT_TRUE(sent.exit.ok()) << sent.errors;

    const auto got = world.alice().run({"--json", "receive", "--timeout", "20"});
    ASSERT_TRUE(got.exit.ok()) << got.errors;
    const auto lines = json_lines(got.output);
    ASSERT_EQ(lines.size(), 1U) << got.output;
    for (const auto* key : {"id", "from", "text", "sent_at", "received_at", "verified"})
        EXPECT_TRUE(lines[0].contains(key)) << key;
    EXPECT_EQ(lines[0]["from"], "bob");
    EXPECT_EQ(lines[0]["text"], "hello");
    EXPECT_EQ(lines[0]["verified"], true);

    ASSERT_TRUE(world.alice().run({"send", "bob", "and to you"}).exit.ok());
    EXPECT_EQ(texts(world.bob().run({"--json", "receive", "--timeout", "20"})),
              std::vector<std::string>{"and to you"});
}

TEST(Conversation, GoesFromALinkToAMessageWithoutAnythingBetween) {
    World world(World::Acquainted::no);
    const auto invited = world.alice().run({"invite"});
    ASSERT_TRUE(world.bob().run({"contact", "add", link_in(invited.output)}).exit.ok());
    // Bob's first message waits at the server; naming him is reason enough to look.
    const auto sent = world.alice().run({"send", "bob", "hello"});
    EXPECT_TRUE(sent.exit.ok()) << sent.errors;
    EXPECT_EQ(texts(world.bob().run({"--json", "receive", "--timeout", "20"})),
              std::vector<std::string>{"hello"});
    const auto nobody = world.alice().run({"send", "nobody", "hello"});
    EXPECT_EQ(nobody.exit.code, 1);
    EXPECT_NE(nobody.errors.find("There is no contact called nobody"), std::string::npos) << nobody.errors;
}

TEST(Conversation, AMessageIsPrintedOnceAndKeptInTheHistory) {
    World world;
    ASSERT_TRUE(world.bob().run({"send", "alice", "only once"}).exit.ok());
    EXPECT_EQ(texts(world.alice().run({"--json", "receive"})).size(), 1U);
    EXPECT_TRUE(texts(world.alice().run({"--json", "receive"})).empty());
    const auto history = json_lines(world.alice().run({"--json", "history", "bob"}).output);
    ASSERT_EQ(history.size(), 1U);
    EXPECT_EQ(history[0]["text"], "only once");
}

TEST(Conversation, DeliveredIsSaidOnlyOnTheOtherSidesWord) {
    World world;
    ASSERT_TRUE(world.bob().run({"send", "alice", "have you got this?"}).exit.ok());
    const auto state = [&] {
        return json_lines(world.bob().run({"--json", "history", "alice"}).output).at(0)["state"];
    };
    EXPECT_EQ(state(), "stored");
    ASSERT_TRUE(world.alice().run({"receive"}).exit.ok());
    ASSERT_TRUE(world.bob().run({"receive"}).exit.ok());
    EXPECT_EQ(state(), "delivered");
}

TEST(Conversation, WaitDeliveredReturnsWhenTheOtherSideHasIt) {
    World world;
    Process reader(world.alice().command({"receive", "--follow"}));
    const auto sent =
        world.bob().run({"send", "alice", "are you there?", "--wait", "delivered", "--timeout", "40"});
    EXPECT_TRUE(sent.exit.ok()) << sent.errors;
    EXPECT_TRUE(reader.wait_for("are you there?", std::chrono::seconds{20}));
    reader.kill(SIGTERM);
    const auto exited = reader.wait(std::chrono::seconds{20});
    ASSERT_TRUE(exited);
    EXPECT_EQ(exited->code, 0) << reader.errors();
}

TEST(Conversation, WhatIsSentWhileTheServerIsAwayLeavesWhenItIsBack) {
    World world;
    EXPECT_EQ(world.server().stop(), 0);
    const auto first = world.bob().run({"send", "alice", "one", "--timeout", "2"});
    EXPECT_EQ(first.exit.code, 3);
    EXPECT_TRUE(is_one_sentence(first.errors));
    EXPECT_EQ(world.bob().run({"send", "alice", "two", "--timeout", "2"}).exit.code, 3);
    world.server().start();
    ASSERT_TRUE(world.bob().run({"receive"}).exit.ok());
    EXPECT_EQ(texts(world.alice().run({"--json", "receive", "--timeout", "20"})),
              (std::vector<std::string>{"one", "two"}));
}

TEST(Conversation, AFollowingReaderComesBackByItself) {
    World world;
    Process reader(world.alice().command({"--json", "receive", "--follow"}));
    ASSERT_TRUE(world.bob().run({"send", "alice", "before"}).exit.ok());
    ASSERT_TRUE(reader.wait_for("before", std::chrono::seconds{30}));
    world.server().kill();
    world.server().start();
    ASSERT_TRUE(world.bob().run({"send", "alice", "after"}).exit.ok());
    EXPECT_TRUE(reader.wait_for("after", std::chrono::seconds{30}));
}

TEST(Conversation, LongTextsEmojiAndLineBreaksArriveUnchanged) {
    World world;
    const std::vector<std::string> said{std::string(65536, 'x'), "two\nlines\tand a tab", "naïve 🦉 שלום",
                                        " "};
    for (const auto& text : said) {
        const auto sent = world.bob().run({"send", "alice", "-"}, text);
        ASSERT_TRUE(sent.exit.ok()) << sent.errors;
    }
    EXPECT_EQ(texts(world.alice().run({"--json", "receive"})), said);
}

TEST(Conversation, ThreePeopleInTwoConversations) {
    World world;
    Person carol(world.folder(), "carol");
    ASSERT_TRUE(carol.init(world.server()).exit.ok());
    World::acquaint(world.alice(), carol);
    ASSERT_TRUE(world.bob().run({"send", "alice", "from bob"}).exit.ok());
    ASSERT_TRUE(carol.run({"send", "alice", "from carol"}).exit.ok());
    const auto got = json_lines(world.alice().run({"--json", "receive"}).output);
    ASSERT_EQ(got.size(), 2U);
    EXPECT_EQ(got[0]["from"], "bob");
    EXPECT_EQ(got[1]["from"], "carol");
    EXPECT_EQ(json_lines(world.alice().run({"--json", "contact", "list"}).output).size(), 2U);
}

TEST(Conversation, BothSidesSeeTheSameSafetyNumberAndKeepThatItWasCompared) {
    World world;
    const auto a = json::parse(world.alice().run({"--json", "verify", "bob"}).output);
    const auto b = json::parse(world.bob().run({"--json", "verify", "alice"}).output);
    EXPECT_EQ(a["safety_number"], b["safety_number"]);
    ASSERT_TRUE(world.alice().run({"verify", "bob", "--confirm"}).exit.ok());
    EXPECT_EQ(json::parse(world.alice().run({"--json", "contact", "show", "bob"}).output)["verified_by"],
              "number");
}

TEST(Conversation, SearchFindsWordsAndNothingElse) {
    World world;
    for (const auto* text : {"the persimmon tree", "a plum tree", "Zabaglione"})
        ASSERT_TRUE(world.bob().run({"send", "alice", text}).exit.ok());
    ASSERT_TRUE(world.alice().run({"receive"}).exit.ok());
    const auto found = [&](const char* words) {
        return texts(world.alice().run({"--json", "history", "bob", "--search", words}));
    };
    EXPECT_EQ(found("tree"), (std::vector<std::string>{"the persimmon tree", "a plum tree"}));
    EXPECT_EQ(found("zabaglione"), std::vector<std::string>{"Zabaglione"});
    EXPECT_TRUE(found("\"; DROP TABLE").empty());
}

TEST(Conversation, ANewPassphraseOpensAndTheOldOneDoesNot) {
    World world;
    const auto fresh = world.folder() / "new.passphrase";
    write_file(fresh, "another one entirely\n");
    std::filesystem::permissions(fresh,
                                 std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    const auto changed = world.alice().run({"passphrase", "--new-passphrase-file", fresh.string()});
    ASSERT_TRUE(changed.exit.ok()) << changed.errors;
    const auto old = world.alice().run({"whoami"});
    EXPECT_EQ(old.exit.code, 1);
    EXPECT_TRUE(is_one_sentence(old.errors));
    write_file(world.alice().passphrase_file(), "another one entirely\n");
    EXPECT_TRUE(world.alice().run({"whoami"}).exit.ok());
}

TEST(Conversation, ARemovedContactIsGoneWithItsMessages) {
    World world;
    ASSERT_TRUE(world.bob().run({"send", "alice", "soon forgotten"}).exit.ok());
    ASSERT_TRUE(world.alice().run({"receive"}).exit.ok());
    ASSERT_TRUE(world.alice().run({"contact", "remove", "bob"}).exit.ok());
    EXPECT_EQ(world.alice().run({"history", "bob"}).exit.code, 1);
    EXPECT_TRUE(json_lines(world.alice().run({"--json", "contact", "list"}).output).empty());
}

}  // namespace
}  // namespace sotto::test
