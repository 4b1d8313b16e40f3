#include "client/chat/input.hpp"

#include <gtest/gtest.h>

namespace sotto::chat::test {
namespace {

template <class T>
T as(std::string_view line) {
    auto command = read_line(line);
    const auto* const found = std::get_if<T>(&command);
    EXPECT_NE(found, nullptr) << line;
    return found == nullptr ? T{} : *found;
}
template <class T>
bool is(std::string_view line) {
    return std::holds_alternative<T>(read_line(line));
}

TEST(ChatInput, BareTextIsSaidInTheOpenChat) {
    EXPECT_EQ(as<Say>("hello there").text, "hello there");
    EXPECT_EQ(as<Say>("  spaces around \n").text, "spaces around");
    EXPECT_EQ(as<Say>("1/2 of it").text, "1/2 of it");
    EXPECT_EQ(as<Say>("@ noon").text, "@ noon");
    EXPECT_TRUE(is<Nothing>(""));
    EXPECT_TRUE(is<Nothing>(" \t"));
}

TEST(ChatInput, ANameInFrontSaysToWhom) {
    EXPECT_EQ(as<Write>("@bob are you there?").rest, "bob are you there?");
    EXPECT_EQ(as<Write>("@bob").rest, "bob");
    EXPECT_EQ(as<Write>("/msg bob are you there?").rest, "bob are you there?");
    EXPECT_EQ(as<Write>("/msg @bob hello").rest, "bob hello");
}

TEST(ChatInput, TheLongestNameThatFitsIsTheOneThatIsMeant) {
    const std::vector<std::string> names{"Mum", "Mum and Dad", "bob", "a,b"};
    const auto check = [&](std::string_view rest, std::string_view whom, std::string_view text) {
        const auto found = addressed(rest, names);
        EXPECT_EQ(found.whom, whom) << rest;
        EXPECT_EQ(found.text, text) << rest;
    };
    check("Mum and Dad see you", "Mum and Dad", "see you");
    check("Mum and Daddy see you", "Mum", "and Daddy see you");
    check("Mum and", "Mum", "and");
    check("Mum and Dad", "Mum and Dad", "");
    check("Mum: and Dad see you", "Mum", "and Dad see you");
    check("bob  are you there?", "bob", "are you there?");
    check("bob /quit", "bob", "/quit");
    for (const auto* const rest : {"bob: hi", "bob, hi", "bob\thi", "bob\nhi"}) check(rest, "bob", "hi");
    check("a,b: hi", "a,b", "hi");
    check("bobby hi", "bobby", "hi");
    check("bob,carol hi", "bob,carol", "hi");
    check("bob@one.example: hi", "bob@one.example", "hi");
}

TEST(ChatInput, TwoSlashesSayOne) {
    EXPECT_EQ(as<Say>("//help is what to type").text, "/help is what to type");
}

TEST(ChatInput, WhatHasSeveralLinesIsNoCommand) {
    EXPECT_EQ(as<Say>("/block confirm\nand more").text, "/block confirm\nand more");
    EXPECT_EQ(as<Say>("// a comment\ncode").text, "// a comment\ncode");
    EXPECT_EQ(as<Write>("@bob one\ntwo").rest, "bob one\ntwo");
}

TEST(ChatInput, EveryCommandIsKnownByItsNameItsShortFormAndWhatIsClear) {
    for (const auto& one : command_help()) {
        EXPECT_FALSE(is<Say>(one.name)) << one.name;
        const auto plain = read_line(one.name).index();
        if (!one.brief.empty()) {
            EXPECT_EQ(read_line(one.brief).index(), plain) << one.brief;
        }
        const auto most = read_line(one.name.substr(0, one.name.size() - 1));
        if (one.in_full)
            EXPECT_TRUE(std::holds_alternative<Mistake>(most)) << one.name;
        else
            EXPECT_EQ(most.index(), plain) << one.name;
    }
    EXPECT_TRUE(is<Help>("/h"));
    EXPECT_TRUE(is<History>("/hi"));
    EXPECT_TRUE(is<Quit>(" /q "));
    EXPECT_TRUE(is<Mistake>("/")) << "clear means clear";
    EXPECT_TRUE(is<Mistake>("/nothing"));
    EXPECT_TRUE(is<Mistake>("/helpme"));
}

TEST(ChatInput, NothingBlocksByAFewLetters) {
    for (const auto* const part : {"/b", "/bl", "/blo", "/bloc"}) EXPECT_TRUE(is<Mistake>(part)) << part;
    EXPECT_FALSE(as<Block>("/block").confirmed);
    EXPECT_TRUE(as<Block>("/block confirm").confirmed);
}

TEST(ChatInput, WhatHandsHaveLearntElsewhereIsUnderstood) {
    EXPECT_EQ(as<Switch>("/query bob").which, "bob");
    EXPECT_TRUE(is<Quit>("/exit"));
    EXPECT_EQ(as<SetPresence>("/away back at three").choice, client::PresenceChoice::away);
    EXPECT_EQ(as<SetPresence>("/away back at three").text, "back at three");
    EXPECT_EQ(as<SetPresence>("/away").text, "");
    EXPECT_EQ(as<SetPresence>("/back").choice, client::PresenceChoice::online);
    for (const auto* const wrong : {"/msg", "/query", "/back soon", "/exit now"})
        EXPECT_TRUE(is<Mistake>(wrong)) << wrong;
}

TEST(ChatInput, CommandsMayNameAContact) {
    EXPECT_EQ(as<Verify>("/verify Mum and Dad").whom, "Mum and Dad");
    EXPECT_FALSE(as<Verify>("/verify Mum and Dad").confirmed);
    EXPECT_EQ(as<Verify>("/verify Mum and Dad confirm").whom, "Mum and Dad");
    EXPECT_TRUE(as<Verify>("/verify Mum and Dad confirm").confirmed);
    EXPECT_EQ(as<Block>("/block bob confirm").whom, "bob");
    EXPECT_EQ(as<Unblock>("/unblock bob").whom, "bob");
    EXPECT_EQ(as<History>("/history bob 5").whom, "bob");
    EXPECT_EQ(as<History>("/history bob 5").limit, 5);
    EXPECT_EQ(as<History>("/history 2pac").whom, "2pac");
    EXPECT_EQ(as<Reach>("/direct bob off").whom, "bob");
    EXPECT_EQ(as<Reach>("/direct bob off").choice, storage::DirectChoice::never);
    EXPECT_EQ(as<Reach>("/direct bob").whom, "bob");
    EXPECT_EQ(as<Reach>("/direct on").whom, "");
}

TEST(ChatInput, ArgumentsAreChecked) {
    EXPECT_EQ(as<History>("/history").limit, 20);
    EXPECT_EQ(as<History>("/history 3").limit, 3);
    for (const auto* const wrong :
         {"/history 0", "/history -1", "/history 10001", "/history 99999999999", "/history bob 0", "/switch",
          "/search", "/presence asleep", "/quit now", "/who is it"})
        EXPECT_TRUE(is<Mistake>(wrong)) << wrong;
    EXPECT_EQ(as<Switch>("/s 2").which, "2");
    EXPECT_EQ(as<Search>("/search two words").words, "two words");
    EXPECT_TRUE(as<Verify>("/verify confirm").confirmed);
    EXPECT_FALSE(as<Verify>("/verify").confirmed);
    EXPECT_FALSE(as<SetPresence>("/presence").choice);
    EXPECT_EQ(as<SetPresence>("/p away back at three").choice, client::PresenceChoice::away);
    EXPECT_EQ(as<SetPresence>("/p away back at three").text, "back at three");
}

TEST(ChatInput, EveryMistakeIsOneSentence) {
    for (const auto* const wrong :
         {"/", "/x", "/history 0", "/switch", "/search", "/msg", "/presence x", "/quit x"}) {
        const auto sentence = as<Mistake>(wrong).sentence;
        EXPECT_TRUE(sentence.ends_with('.')) << sentence;
        EXPECT_EQ(sentence.find('\n'), std::string::npos);
    }
}

TEST(ChatInput, WordsAreCompleted) {
    const std::vector<std::string> names{"bob", "bert", "carol"};
    using Words = std::vector<std::string>;
    EXPECT_EQ(completions("@b", names), (Words{"@bob", "@bert"}));
    EXPECT_EQ(completions("@c", names), (Words{"@carol"}));
    EXPECT_EQ(completions("/sw", names), (Words{"/switch"}));
    EXPECT_EQ(completions("/h", names), (Words{"/help", "/history"}));
    EXPECT_EQ(completions("/switch c", names), (Words{"carol"}));
    EXPECT_EQ(completions("/s ", names), names);
    EXPECT_EQ(completions("/presence a", names), (Words{"away"}));
    EXPECT_EQ(completions("/verify c", names), (Words{"carol", "confirm"}));
    EXPECT_EQ(completions("/verify carol c", names), (Words{"confirm"}));
    EXPECT_EQ(completions("/direct bob o", names), (Words{"on", "off"}));
    EXPECT_EQ(completions("/search @c", names), (Words{"@carol"}));
    EXPECT_EQ(completions("/msg c", names), (Words{"carol"}));
    EXPECT_EQ(completions("/aw", names), (Words{"/away"}));
    EXPECT_TRUE(completions("/presence away b", names).empty());
    EXPECT_TRUE(completions("hello b", names).empty()) << "names in a text are left alone";
    EXPECT_TRUE(completions("/switch bob c", names).empty());
    EXPECT_TRUE(completions("", names).empty());
}

TEST(ChatInput, ANameWithBlanksIsCompletedToItsEnd) {
    const std::vector<std::string> names{"Mum", "Mum and Dad"};
    using Words = std::vector<std::string>;
    EXPECT_EQ(completions("@M", names), (Words{"@Mum", "@Mum and Dad"}));
    EXPECT_EQ(completions("@Mum a", names), (Words{"and Dad"}));
    EXPECT_EQ(completions("@Mum and D", names), (Words{"Dad"}));
    EXPECT_EQ(completions("/switch Mum a", names), (Words{"and Dad"}));
    EXPECT_TRUE(completions("@Mum and Dad a", names).empty());
}

}  // namespace
}  // namespace sotto::chat::test
