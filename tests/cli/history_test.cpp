// What is shown of contacts and messages, for people and as JSON.
#include <set>

#include "home.hpp"

namespace sotto::test {
namespace {

using storage::Direction;

std::set<std::string> keys_of(const nlohmann::json& object) {
    std::set<std::string> result;
    for (const auto& [key, value] : object.items()) result.insert(key);
    return result;
}

TEST(Json, OfWhoami) {
    const Home home;
    const auto lines = home.json({"whoami"});
    ASSERT_EQ(lines.size(), 1U);
    EXPECT_EQ(keys_of(lines[0]),
              (std::set<std::string>{"address", "device", "fingerprint", "home", "server"}));
    EXPECT_EQ(lines[0]["address"], "alice@localhost");
    EXPECT_EQ(lines[0]["device"], 7);
    EXPECT_EQ(lines[0]["fingerprint"].get<std::string>().size(), 64U);
    EXPECT_TRUE(lines[0]["server"].get<std::string>().starts_with("sotto://127.0.0.1:"));
}

TEST(Json, OfContacts) {
    const Home home;
    const auto lines = home.json({"contact", "list"});
    ASSERT_EQ(lines.size(), 1U);
    EXPECT_EQ(keys_of(lines[0]), (std::set<std::string>{"added_at", "address", "blocked", "fingerprint",
                                                        "name", "state", "verified", "verified_by"}));
    EXPECT_EQ(lines[0]["blocked"], false);
    EXPECT_EQ(lines[0]["name"], "bob");
    EXPECT_EQ(lines[0]["verified"], true);
    EXPECT_EQ(lines[0]["verified_by"], "link");
    EXPECT_EQ(lines[0]["added_at"], "2023-11-14T22:13:20.000Z");
    EXPECT_EQ(home.json({"contact", "show", "bob"}), lines);
    EXPECT_EQ(home.json({"contact", "show", "bob@localhost"}), lines);
}

TEST(Contacts, ThatAreUnknownAreASentence) {
    const Home home;
    for (const auto& words : std::vector<std::vector<std::string>>{{"contact", "show", "nobody"},
                                                                   {"contact", "remove", "nobody"},
                                                                   {"contact", "block", "nobody"},
                                                                   {"contact", "unblock", "nobody"},
                                                                   {"verify", "nobody"},
                                                                   {"history", "nobody"},
                                                                   {"send", "nobody", "hello"}}) {
        const auto finished = home.run(words);
        EXPECT_EQ(finished.exit.code, 1);
        EXPECT_TRUE(one_sentence(finished, "nobody"));
    }
}

TEST(Contacts, ThatAreRemovedAreGone) {
    Home home;
    home.add_message(Direction::incoming, "soon gone", 1'700'000'000'000, true);
    const auto removed = home.run({"contact", "remove", "bob"});
    EXPECT_EQ(removed.exit.code, 3) << "the server hasn't heard of it";
    EXPECT_EQ(removed.output, "bob (bob@localhost) is forgotten.\n");
    EXPECT_TRUE(one_sentence(removed, "Until a `sotto receive` reaches the server"));
    EXPECT_TRUE(home.json({"contact", "list"}).empty());
    EXPECT_EQ(home.run({"history", "bob"}).exit.code, 1);
}

TEST(Contacts, ThatAreBlockedAreShownSoAndCanNotBeWrittenTo) {
    Home home;
    home.add_message(Direction::incoming, "never printed", 1'700'000'000'000);
    const auto token = [&] {
        auto store = home.open();
        return to_bytes(store.identity().value()->shared_token.expose());
    };
    const auto before = token();
    const auto blocked = home.json({"contact", "block", "bob"}, 3);
    ASSERT_EQ(blocked.size(), 1U);
    EXPECT_EQ(blocked[0],
              (nlohmann::json{{"blocked", "bob"}, {"address", "bob@localhost"}, {"server_told", false}}));
    EXPECT_NE(token(), before);
    EXPECT_EQ(home.json({"contact", "show", "bob"})[0]["blocked"], true);
    EXPECT_NE(home.run({"contact", "show", "bob"}).output.find("blocked      yes"), std::string::npos);
    EXPECT_NE(home.run({"contact", "list"}).output.find(", blocked\n"), std::string::npos);
    const auto refused = home.run({"send", "bob", "hello"});
    EXPECT_EQ(refused.exit.code, 1);
    EXPECT_TRUE(one_sentence(refused, "bob is blocked"));
    EXPECT_EQ(home.run({"receive"}).output, "");

    const auto unblocked = home.run({"contact", "unblock", "bob"});
    EXPECT_EQ(unblocked.exit.code, 3);
    EXPECT_EQ(unblocked.output, "bob (bob@localhost) is not blocked.\n");
    EXPECT_TRUE(one_sentence(unblocked, "after a `sotto receive`"));
    EXPECT_EQ(home.json({"contact", "list"})[0]["blocked"], false);
}

TEST(Json, OfHistory) {
    Home home;
    home.add_message(Direction::incoming, "first", 1'700'000'000'123, true);
    home.add_message(Direction::outgoing, "second", 1'700'000'060'000);
    const auto lines = home.json({"history", "bob"});
    ASSERT_EQ(lines.size(), 2U);
    EXPECT_EQ(keys_of(lines[0]),
              (std::set<std::string>{"contact", "direction", "id", "kind", "late", "received_at", "row",
                                     "sent_at", "sequence", "state", "text"}));
    EXPECT_EQ(lines[0]["direction"], "incoming");
    EXPECT_EQ(lines[0]["text"], "first");
    EXPECT_EQ(lines[0]["sent_at"], "2023-11-14T22:13:20.123Z");
    EXPECT_EQ(lines[0]["received_at"], "2023-11-14T22:13:21.623Z");
    EXPECT_EQ(lines[1]["direction"], "outgoing");
    EXPECT_EQ(lines[1]["state"], "stored");
    EXPECT_FALSE(lines[1].contains("received_at"));
    EXPECT_LT(lines[0]["row"], lines[1]["row"]);
}

TEST(History, IsLimitedToTheNewestAndSearchedByWords) {
    Home home;
    for (const auto* text : {"the persimmon tree", "a plum tree", "Zabaglione"})
        home.add_message(Direction::incoming, text, 1'700'000'000'000, true);
    const auto texts = [&](std::vector<std::string> words) {
        words.insert(words.begin(), {"history", "bob"});
        std::vector<std::string> result;
        for (const auto& line : home.json(words)) result.push_back(line["text"]);
        return result;
    };
    EXPECT_EQ(texts({"--limit", "2"}), (std::vector<std::string>{"a plum tree", "Zabaglione"}));
    EXPECT_EQ(texts({"--search", "tree"}), (std::vector<std::string>{"the persimmon tree", "a plum tree"}));
    EXPECT_EQ(texts({"--search", "zabaglione"}), std::vector<std::string>{"Zabaglione"});
    EXPECT_TRUE(texts({"--search", "\"; DROP TABLE messages"}).empty());
    EXPECT_TRUE(one_sentence(home.run({"history", "bob", "--search", "\xff"}), "UTF-8"));
}

TEST(History, CannotPaintTheTerminalOrPassForAnotherLine) {
    Home home;
    home.change_bob([](storage::Contact& bob) { bob.name = "bob\x1b[2J"; });
    home.add_message(Direction::incoming, "\x1b[31mred\r\n2023-11-14 22:13  carol: pay eve \xe2\x80\xae",
                     1'700'000'000'000, true);
    const auto finished = home.run({"history", "bob@localhost"});
    EXPECT_EQ(finished.exit.code, 0) << finished.errors;
    EXPECT_EQ(finished.output.find('\x1b'), std::string::npos);
    EXPECT_EQ(finished.output.find('\r'), std::string::npos);
    EXPECT_EQ(finished.output.find("\xe2\x80\xae"), std::string::npos);
    const auto lines = lines_of(finished.output);
    ASSERT_EQ(lines.size(), 2U);
    EXPECT_TRUE(lines[1].starts_with("    2023-"))
        << "a message's second line looks like a message of its own";
}

TEST(Json, KeepsEveryCharacterOfAMessage) {
    Home home;
    const std::string text = "tab\t quote\" back\\ \x1b[31m 🦉 שלום line\nfeed";
    home.add_message(Direction::incoming, text, 1'700'000'000'000, true);
    const auto lines = home.json({"history", "bob"});
    ASSERT_EQ(lines.size(), 1U);
    EXPECT_EQ(lines[0]["text"], text);
}

TEST(Verify, ShowsTwelveGroupsOfFiveDigitsAndRemembersThatTheyWereCompared) {
    Home home;
    const auto before = home.json({"verify", "bob"});
    ASSERT_EQ(before.size(), 1U);
    const auto number = before[0]["safety_number"].get<std::string>();
    EXPECT_EQ(number.size(), 60U + 11U);
    EXPECT_EQ(number.find_first_not_of("0123456789 "), std::string::npos);
    const auto shown = home.run({"verify", "bob"});
    EXPECT_NE(shown.output.find("bob@localhost"), std::string::npos);
    EXPECT_NE(shown.output.find(number.substr(0, 23)), std::string::npos);
    EXPECT_EQ(home.json({"contact", "show", "bob"})[0]["verified_by"], "link");
    EXPECT_EQ(home.json({"verify", "bob", "--confirm"})[0]["verified_by"], "number");
    EXPECT_EQ(home.json({"contact", "show", "bob"})[0]["verified_by"], "number");
}

TEST(Verify, OfAContactWhoseKeyHasChangedIsExitCode4) {
    Home home;
    home.change_bob([](storage::Contact& bob) {
        bob.state = storage::ContactState::changed;
        bob.verified = storage::Verified::no;
    });
    for (const auto& words : std::vector<std::vector<std::string>>{
             {"verify", "bob"}, {"verify", "bob", "--confirm"}, {"send", "bob", "hello"}}) {
        const auto finished = home.run(words);
        EXPECT_EQ(finished.exit.code, 4) << words[0];
        EXPECT_TRUE(one_sentence(finished, "bob"));
    }
    EXPECT_EQ(home.json({"contact", "show", "bob"})[0]["verified"], false);
}

}  // namespace
}  // namespace sotto::test
