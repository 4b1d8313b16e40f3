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
    EXPECT_FALSE(as<Say>("hello there").to);
    EXPECT_EQ(as<Say>("  spaces around \n").text, "spaces around");
    EXPECT_EQ(as<Say>("1/2 of it").text, "1/2 of it");
    EXPECT_EQ(as<Say>("@ noon").text, "@ noon");
    EXPECT_TRUE(is<Nothing>(""));
    EXPECT_TRUE(is<Nothing>(" \t"));
}

TEST(ChatInput, ANameInFrontSaysToWhom) {
    EXPECT_EQ(as<Say>("@bob are you there?").to, "bob");
    EXPECT_EQ(as<Say>("@bob  are you there?").text, "are you there?");
    EXPECT_EQ(as<Say>("@bob /quit").text, "/quit") << "said, not done";
    EXPECT_EQ(as<Switch>("@bob").which, "bob");
}

TEST(ChatInput, TwoSlashesSayOne) {
    EXPECT_EQ(as<Say>("//help is what to type").text, "/help is what to type");
}

TEST(ChatInput, EveryCommandIsKnownByItsNameItsShortFormAndWhatIsClear) {
    for (const auto& one : command_help()) {
        EXPECT_FALSE(is<Say>(one.name)) << one.name;
        const auto plain = read_line(one.name).index();
        if (!one.brief.empty()) {
            EXPECT_EQ(read_line(one.brief).index(), plain) << one.brief;
        }
        EXPECT_EQ(read_line(one.name.substr(0, one.name.size() - 1)).index(), plain) << one.name;
    }
    EXPECT_TRUE(is<Help>("/h"));
    EXPECT_TRUE(is<History>("/hi"));
    EXPECT_TRUE(is<Quit>(" /q "));
    EXPECT_TRUE(is<Mistake>("/")) << "clear means clear";
    EXPECT_TRUE(is<Mistake>("/nothing"));
    EXPECT_TRUE(is<Mistake>("/helpme"));
}

TEST(ChatInput, ArgumentsAreChecked) {
    EXPECT_EQ(as<History>("/history").limit, 20);
    EXPECT_EQ(as<History>("/history 3").limit, 3);
    for (const auto* const wrong :
         {"/history 0", "/history -1", "/history all", "/history 10001", "/history 1 2", "/switch", "/search",
          "/verify maybe", "/presence asleep", "/quit now", "/block bob", "/who is it"})
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
         {"/", "/x", "/history x", "/switch", "/search", "/verify x", "/presence x", "/quit x"}) {
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
    EXPECT_EQ(completions("/verify ", names), (Words{"confirm"}));
    EXPECT_TRUE(completions("hello b", names).empty()) << "names in a text are left alone";
    EXPECT_TRUE(completions("/switch bob c", names).empty());
    EXPECT_TRUE(completions("", names).empty());
}

}  // namespace
}  // namespace sotto::chat::test
