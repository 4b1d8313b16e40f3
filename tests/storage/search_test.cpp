#include "search.hpp"

#include "stores.hpp"

namespace sotto::storage::test {
namespace {

class SearchTest : public StoreTest {
  protected:
    void say(std::string_view text) {
        auto message = some_message(bob, ++number);
        message.text = text;
        ASSERT_TRUE(must(store.add_message(message)));
    }
    std::size_t found(std::string_view words) { return must(store.history(bob, words, -1)).size(); }
    std::int64_t bob = add("bob");
    std::uint32_t number = 0;
};

TEST_F(SearchTest, FindsMessagesWithAllOfTheWords) {
    say("the cat sat on the mat");
    say("the dog lay on the mat");
    EXPECT_EQ(found("mat"), 2U);
    EXPECT_EQ(found("mat cat"), 1U);
    EXPECT_EQ(found("cat dog"), 0U);
    EXPECT_EQ(found("ma"), 0U);
    const auto newest = must(store.history(bob, "mat", 1));
    ASSERT_EQ(newest.size(), 1U);
    EXPECT_EQ(newest[0].text, "the dog lay on the mat");
}

TEST_F(SearchTest, StaysWithinTheConversationAndItsOrder) {
    for (const auto* const text : {"one word", "two words", "another word", "the last word"}) say(text);
    auto carols = some_message(add("carol"), 50);
    carols.text = "a word of hers";
    ASSERT_TRUE(must(store.add_message(carols)));
    const auto messages = must(store.history(bob, "word", 2));
    ASSERT_EQ(messages.size(), 2U);
    EXPECT_EQ(messages[0].text, "another word");
    EXPECT_EQ(messages[1].text, "the last word");
    EXPECT_EQ(must(store.history(carols.contact, "word", -1)).size(), 1U);
}

TEST_F(SearchTest, LooksPastCaseAndAccents) {
    say("Über den Dächern von ΑΘΉΝΑ und İstanbul");
    say("naïve café, Ärger, Öl");
    for (const auto* const words : {"uber", "ÜBER", "dachern", "DÄCHERN", "αθήνα"})
        EXPECT_EQ(found(words), 1U) << words;
    EXPECT_EQ(found("naive CAFE"), 1U);
    EXPECT_EQ(found("arger ol"), 1U);
}

TEST_F(SearchTest, TakesOperatorsForWords) {
    say("salt AND pepper, not sugar");
    say("near text: near the sea");
    EXPECT_EQ(found("salt AND pepper"), 1U);
    EXPECT_EQ(found("salt OR nothing"), 0U);
    EXPECT_EQ(found("NOT"), 1U);
    EXPECT_EQ(found("NEAR"), 1U);
    EXPECT_EQ(found("text:"), 1U);
    EXPECT_EQ(found("text:sea"), 0U);
    EXPECT_EQ(found("sal*"), 0U);
    for (const auto* const words :
         {"\"", "\"\"", "\"salt", "sa\"lt", "(", ")", "^salt", "-salt", "+", "{text}:x", "'",
          "';DROP TABLE messages;--", "NEAR(a b, 3)", "salt\\", "*", "%"})
        EXPECT_LE(found(words), 2U) << words;
    EXPECT_EQ(found("pepper"), 1U);
}

TEST_F(SearchTest, WithoutAWordFindsEverythingAndWithPunctuationOnlyNothing) {
    say("hello");
    EXPECT_EQ(found(""), 1U);
    EXPECT_EQ(found(" \t\n"), 1U);
    EXPECT_EQ(found("!?"), 0U);
}

TEST_F(SearchTest, WithstandsStrangeInput) {
    say("hello");
    EXPECT_EQ(found(std::string_view{"hello\0\"", 7}), 1U);
    EXPECT_EQ(found(std::string_view{"hello\0x", 7}), 0U);
    EXPECT_EQ(found(std::string_view{"\0hello\0", 7}), 1U);
    EXPECT_EQ(found("\xff\xfe\xc3"), 0U);
    EXPECT_LE(found("hello\xc3"), 1U);
    EXPECT_EQ(found("😀"), 0U);
    EXPECT_EQ(found(std::string(100'000, 'a')), 0U);
    std::string many;
    for (int i = 0; i < 20'000; ++i) many += "hello ";
    EXPECT_EQ(found(many), 1U);
    std::string quotes(10'000, '"');
    EXPECT_EQ(found(quotes), 0U);
}

TEST_F(SearchTest, StaysInStepWithWhatChanges) {
    say("first words");
    tamper("UPDATE messages SET text = 'second words'");
    EXPECT_EQ(found("first"), 0U);
    EXPECT_EQ(found("second"), 1U);
    tamper("DELETE FROM messages");
    EXPECT_EQ(found("second"), 0U);
    must(store.database().execute(
        "INSERT INTO message_words (message_words, rank) VALUES ('integrity-check', 1)"));
}

TEST_F(SearchTest, ForgetsAMessageThatWasRolledBack) {
    {
        const Transaction transaction{store.database()};
        say("never said");
        EXPECT_EQ(found("never"), 1U);
    }
    EXPECT_EQ(found("never"), 0U);
    must(store.database().execute(
        "INSERT INTO message_words (message_words, rank) VALUES ('integrity-check', 1)"));
}

TEST(MatchExpression, PutsEveryWordInQuotes) {
    EXPECT_EQ(detail::match_expression("a  b\tc"), R"("a" "b" "c")");
    EXPECT_EQ(detail::match_expression(R"(say "hi")"), R"("say" """hi""")");
    EXPECT_EQ(detail::match_expression("  "), "");
    std::string many;
    for (int i = 0; i < 65; ++i) many += "a ";
    EXPECT_EQ(detail::match_expression(many).size(), 64U * 4 - 1);
}

}  // namespace
}  // namespace sotto::storage::test
