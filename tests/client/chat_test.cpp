// Conversations as a person has them: what is shown, and when. Attack 21 in its lines.
#include "client/chat/chat.hpp"

#include "client/circle.hpp"

namespace sotto::chat::test {
namespace {

using client::test::Circle;
using client::test::Client;
using client::test::World;

/// One person's chat.
struct Seat {
    Seat(World& simulated, Client& owner)
        : world(simulated),
          client(owner),
          chat({.engine = owner.engine(),
                .store = owner.store(),
                .apply = [this](client::Output output) { client.apply([&] { return std::move(output); }); },
                .show = [this](Line line) { lines.push_back(std::move(line)); },
                .now = [this] { return world.clock.wall(); }}) {
        client.on_notice = [this](const client::Notice& notice) { chat.hear(notice); };
    }
    ~Seat() { client.on_notice = nullptr; }
    Seat(const Seat&) = delete;
    Seat& operator=(const Seat&) = delete;

    void type(std::string_view line) { chat.run(read_line(line)); }
    /// Texts of the lines of one kind, oldest first.
    [[nodiscard]] std::vector<std::string> shown(Line::Kind kind) const {
        std::vector<std::string> out;
        for (const auto& line : lines)
            if (line.kind == kind) out.push_back(line.text);
        return out;
    }
    bool waits_for(Line::Kind kind, std::size_t count = 1) {
        return world.run([&] { return shown(kind).size() >= count; });
    }

    World& world;
    Client& client;
    std::vector<Line> lines;
    Chat chat;
};

using Texts = std::vector<std::string>;

class ChatTest : public testing::Test {
  protected:
    void SetUp() override {
        ASSERT_NO_FATAL_FAILURE(circle.befriend());
        alice.emplace(circle.world, circle.alice);
        bob.emplace(circle.world, circle.bob);
        carol.emplace(circle.world, circle.carol);
        for (auto* const seat : {&*alice, &*bob, &*carol}) {
            seat->chat.begin(std::nullopt);
            // What was said before belongs to nobody's test.
            for (const auto& name : seat->chat.names()) seat->type("@" + name);
            seat->lines.clear();
        }
    }
    Circle circle{11};
    std::optional<Seat> alice;
    std::optional<Seat> bob;
    std::optional<Seat> carol;
};

TEST_F(ChatTest, ThreeTalkInSeveralChatsAtOnce) {
    alice->type("@bob");
    alice->lines.clear();
    alice->type("for bob");
    alice->type("@carol for carol");
    ASSERT_TRUE(bob->waits_for(Line::Kind::theirs));
    ASSERT_TRUE(carol->waits_for(Line::Kind::theirs));
    EXPECT_EQ(bob->shown(Line::Kind::theirs), (Texts{"for bob"}));
    EXPECT_EQ(carol->shown(Line::Kind::theirs), (Texts{"for carol"}));
    EXPECT_EQ(alice->shown(Line::Kind::ours), (Texts{"for bob", "for carol"}));
    EXPECT_TRUE(alice->waits_for(Line::Kind::progress, 2));
    EXPECT_EQ(alice->shown(Line::Kind::progress), (Texts{"delivered", "delivered"}));

    // Alice is with Bob: what Carol says waits until she goes there.
    carol->type("and back");
    ASSERT_TRUE(alice->waits_for(Line::Kind::elsewhere));
    EXPECT_TRUE(alice->shown(Line::Kind::theirs).empty());
    EXPECT_EQ(alice->shown(Line::Kind::elsewhere), (Texts{"1 unread"}));
    EXPECT_EQ(alice->chat.prompt(), "bob (1 unread)> ");
    alice->type("/s carol");
    EXPECT_EQ(alice->shown(Line::Kind::theirs).back(), "and back");
    EXPECT_EQ(alice->chat.prompt(), "carol> ");
}

TEST_F(ChatTest, WhatIsUnreadIsCountedAndShownOnce) {
    alice->type("@bob");
    for (const auto* const text : {"one", "two", "three"}) carol->type("@alice " + std::string{text});
    ASSERT_TRUE(alice->waits_for(Line::Kind::elsewhere, 3));
    alice->lines.clear();
    alice->type("/chats");
    EXPECT_EQ(alice->shown(Line::Kind::info), (Texts{"1  bob, open", "2  carol, 3 unread"}));
    alice->type("/switch 2");
    EXPECT_EQ(alice->shown(Line::Kind::theirs).size(), 3U);
    alice->lines.clear();
    alice->type("/switch 2");
    EXPECT_EQ(alice->shown(Line::Kind::theirs).size(), 3U) << "as history, not as news";
}

TEST_F(ChatTest, EachOfOurMessagesHasANumberAndIsToldOfByIt) {
    alice->type("@bob");
    alice->lines.clear();
    alice->type("first");
    alice->type("second");
    ASSERT_TRUE(alice->waits_for(Line::Kind::progress, 2));
    std::vector<std::uint64_t> said;
    std::vector<std::uint64_t> done;
    for (const auto& line : alice->lines) {
        if (line.kind == Line::Kind::ours) said.push_back(line.number);
        if (line.kind == Line::Kind::progress) done.push_back(line.number);
    }
    ASSERT_EQ(said.size(), 2U);
    EXPECT_LT(said[0], said[1]);
    std::ranges::sort(done);
    EXPECT_EQ(done, said);
}

TEST_F(ChatTest, NothingIsSentWhereNoChatIsOpen) {
    Seat fresh{circle.world, circle.alice};
    fresh.chat.begin(std::nullopt);
    fresh.type("to nobody");
    EXPECT_EQ(fresh.shown(Line::Kind::mistake).size(), 1U);
    fresh.type("@nobody hello");
    EXPECT_EQ(fresh.shown(Line::Kind::mistake).size(), 2U);
    EXPECT_TRUE(fresh.shown(Line::Kind::ours).empty());
}

TEST_F(ChatTest, HistoryAndSearchFindWhatWasSaid) {
    alice->type("@bob");
    for (const auto* const text : {"red apples", "green pears", "red cherries"}) alice->type(text);
    alice->lines.clear();
    alice->type("/history 2");
    EXPECT_EQ(alice->shown(Line::Kind::ours).size(), 2U);
    alice->lines.clear();
    alice->type("/search red");
    EXPECT_EQ(alice->shown(Line::Kind::ours).size(), 2U);
    alice->lines.clear();
    alice->type("/f plums");
    EXPECT_EQ(alice->shown(Line::Kind::info), (Texts{"No message has all of these words."}));
}

TEST_F(ChatTest, WhoIsThereIsSeenAndToldOf) {
    for (auto* const seat : {&*alice, &*bob})
        seat->client.apply([&] { return seat->client.engine().go_online(true, circle.world.clock.wall()); });
    ASSERT_TRUE(alice->waits_for(Line::Kind::presence));
    EXPECT_EQ(alice->shown(Line::Kind::presence).back(), "online");
    bob->type("/presence busy writing");
    ASSERT_TRUE(circle.world.run([&] {
        alice->chat.look();
        const auto all = alice->shown(Line::Kind::presence);
        return !all.empty() && all.back() == "busy, writing";
    }));
    alice->lines.clear();
    alice->type("/who");
    EXPECT_EQ(alice->shown(Line::Kind::info), (Texts{"bob: busy, writing", "carol: unknown"}));
}

TEST_F(ChatTest, ManyChangesOfAStatusAreOneLineInTenSeconds) {
    for (auto* const seat : {&*alice, &*bob})
        seat->client.apply([&] { return seat->client.engine().go_online(true, circle.world.clock.wall()); });
    ASSERT_TRUE(alice->waits_for(Line::Kind::presence));
    circle.world.run_for(Pace::pause);
    alice->lines.clear();
    for (int i = 0; i < 20; ++i) {
        const auto id = circle.alice.contact("bob")->id;
        const client::PresenceView view{.kind = client::PresenceKind::busy, .text = std::to_string(i)};
        alice->chat.hear(client::PresenceChanged{.contact = id, .view = view});
        alice->chat.look();
    }
    EXPECT_EQ(alice->shown(Line::Kind::presence), (Texts{"busy, 0"}));
    ASSERT_TRUE(alice->chat.next_deadline());
    EXPECT_EQ(*alice->chat.next_deadline(), circle.world.clock.wall() + Pace::pause);
    circle.world.run_for(Pace::pause);
    alice->chat.look();
    EXPECT_EQ(alice->shown(Line::Kind::presence), (Texts{"busy, 0", "busy, 19"}));
    EXPECT_FALSE(alice->chat.next_deadline());
}

TEST_F(ChatTest, WhoIsNotThereAtFirstIsNoNews) {
    const auto id = circle.alice.contact("bob")->id;
    const auto shows = [&](client::PresenceKind kind) {
        alice->chat.hear(client::PresenceChanged{.contact = id, .view = {.kind = kind, .text = {}}});
    };
    shows(client::PresenceKind::offline);
    EXPECT_TRUE(alice->shown(Line::Kind::presence).empty());
    shows(client::PresenceKind::online);
    circle.world.run_for(Pace::pause);
    shows(client::PresenceKind::offline);
    EXPECT_EQ(alice->shown(Line::Kind::presence), (Texts{"online", "offline"}));
}

TEST_F(ChatTest, TheServerIsSaidToBeThereAgain) {
    circle.world.kill(circle.server);
    ASSERT_TRUE(alice->waits_for(Line::Kind::warning));
    circle.world.run_for(20'000);
    EXPECT_EQ(alice->shown(Line::Kind::warning).size(), 1U);
    alice->lines.clear();
    circle.server.restart();
    ASSERT_TRUE(alice->waits_for(Line::Kind::info));
    EXPECT_EQ(alice->shown(Line::Kind::info), (Texts{"The server is there again."}));
}

TEST(Pace, TellsTheLastOfWhatThereWas) {
    Pace pace;
    EXPECT_TRUE(pace.tell(1, "a", 1000));
    EXPECT_FALSE(pace.tell(1, "b", 2000));
    EXPECT_TRUE(pace.tell(2, "a", 2000)) << "each contact has a pace of their own";
    EXPECT_FALSE(pace.tell(1, "a", 3000));
    EXPECT_FALSE(pace.next()) << "it is what was told";
    EXPECT_FALSE(pace.tell(1, "b", 4000));
    EXPECT_EQ(pace.next(), 1000 + Pace::pause);
    EXPECT_TRUE(pace.due(1000 + Pace::pause - 1).empty());
    const auto due = pace.due(1000 + Pace::pause);
    ASSERT_EQ(due.size(), 1U);
    EXPECT_EQ(due[0].text, "b");
    EXPECT_FALSE(pace.tell(1, "c", 1000 + Pace::pause + 1));
    EXPECT_TRUE(pace.tell(1, "d", 500)) << "a clock that was set back makes nobody wait";
}

TEST_F(ChatTest, VerifyingTakesTwoSteps) {
    alice->type("@bob");
    alice->lines.clear();
    alice->type("/verify");
    const auto number = alice->shown(Line::Kind::info).at(0);
    EXPECT_EQ(number.size(), 60U + 11U);
    bob->type("@alice");
    bob->lines.clear();
    bob->type("/v");
    EXPECT_EQ(bob->shown(Line::Kind::info).at(0), number);
    alice->type("/verify confirm");
    EXPECT_EQ(circle.alice.contact("bob")->verified, storage::Verified::number);
}

TEST_F(ChatTest, WhatIsVerifiedIsWhoseNumberWasShown) {
    alice->type("@carol");
    alice->type("/verify bob");
    alice->type("/verify confirm");
    EXPECT_EQ(circle.alice.contact("bob")->verified, storage::Verified::number);
    EXPECT_EQ(circle.alice.contact("carol")->verified, storage::Verified::link);
}

TEST_F(ChatTest, WhoIsBlockedIsNotHeard) {
    alice->type("@carol");
    alice->type("/block");
    EXPECT_FALSE(circle.alice.contact("carol")->blocked) << "asks first";
    alice->type("/block confirm");
    EXPECT_TRUE(circle.alice.contact("carol")->blocked);
    carol->type("@alice can you hear me?");
    circle.world.run_for(5000);
    alice->lines.clear();
    alice->type("hello");
    EXPECT_EQ(alice->shown(Line::Kind::mistake).size(), 1U);
    alice->type("/unblock");
    EXPECT_EQ(alice->shown(Line::Kind::info).size(), 1U);
}

TEST_F(ChatTest, OnlyWhoWasAskedAboutIsBlocked) {
    alice->type("@carol");
    alice->type("/block confirm");
    EXPECT_EQ(alice->shown(Line::Kind::mistake).size(), 1U) << "nobody was asked about";
    alice->type("/block bob");
    alice->type("@carol");
    alice->type("/block confirm");
    EXPECT_EQ(alice->shown(Line::Kind::mistake).size(), 2U) << "and then forgotten";
    alice->type("/block bob");
    alice->type("/block confirm");
    EXPECT_TRUE(circle.alice.contact("bob")->blocked);
    EXPECT_FALSE(circle.alice.contact("carol")->blocked);
    alice->type("/unblock bob");
    alice->type("/block nobody confirm");
    EXPECT_FALSE(circle.alice.contact("bob")->blocked);
}

TEST_F(ChatTest, ANameWithBlanksIsTakenWhole) {
    const auto rename = [&](const char* from, const char* to) {
        auto contact = *circle.alice.contact(from);
        contact.name = to;
        auto transaction = circle.alice.store().begin();
        ASSERT_TRUE(circle.alice.store().update_contact(contact));
        ASSERT_TRUE(transaction.commit());
    };
    const auto address = circle.alice.contact("bob")->address.text();
    ASSERT_NO_FATAL_FAILURE(rename("bob", "Mum"));
    ASSERT_NO_FATAL_FAILURE(rename("carol", "Mum and Dad"));
    alice->type("@Mum and Dad for both");
    alice->type("@Mum: for one");
    alice->type("@" + address + " by address");
    ASSERT_TRUE(carol->waits_for(Line::Kind::theirs));
    ASSERT_TRUE(bob->waits_for(Line::Kind::theirs, 2));
    EXPECT_EQ(carol->shown(Line::Kind::theirs), (Texts{"for both"}));
    EXPECT_EQ(bob->shown(Line::Kind::theirs), (Texts{"for one", "by address"}));
}

TEST_F(ChatTest, CommandsReachWhomTheyName) {
    alice->type("@bob to bob, not to the other");
    ASSERT_TRUE(alice->waits_for(Line::Kind::progress));
    alice->type("@carol");
    alice->lines.clear();
    alice->type("/search @bob other");
    EXPECT_EQ(alice->shown(Line::Kind::ours), (Texts{"to bob, not to the other (delivered)"}));
    alice->lines.clear();
    alice->type("/history bob 1");
    EXPECT_EQ(alice->shown(Line::Kind::ours).size(), 1U);
    alice->type("/direct bob off");
    EXPECT_EQ(circle.alice.contact("bob")->direct, storage::DirectChoice::never);
    EXPECT_EQ(circle.alice.contact("carol")->direct, storage::DirectChoice::by_setting);
    alice->lines.clear();
    alice->type("/direct bob default");
    EXPECT_EQ(alice->shown(Line::Kind::info),
              (Texts{"With bob it is as `sotto direct` says; those reached directly: contacts verified, by "
                     "link or by number."}));
    alice->type("/verify nobody");
    EXPECT_EQ(alice->shown(Line::Kind::mistake).size(), 1U);
}

TEST_F(ChatTest, NoTextPaintsOrPassesForAnother) {
    bob->type("@alice \x1b[2J\xe2\x80\xaeover\nalice: forged");
    alice->type("@bob");
    ASSERT_TRUE(alice->waits_for(Line::Kind::theirs));
    for (const auto& line : alice->lines) {
        EXPECT_EQ(line.text.find('\x1b'), std::string::npos);
        EXPECT_EQ(line.text.find("\xe2\x80\xae"), std::string::npos);
        const auto feed = line.text.find('\n');
        if (feed != std::string::npos) {
            EXPECT_EQ(line.text.substr(feed, 5), "\n    ");
        }
    }
}

TEST_F(ChatTest, QuitEndsIt) {
    EXPECT_FALSE(alice->chat.finished());
    alice->type("/q");
    EXPECT_TRUE(alice->chat.finished());
    EXPECT_FALSE(alice->chat.failed());
}

}  // namespace
}  // namespace sotto::chat::test
