// What a chat looks like on a terminal: nothing that comes from somebody else begins where times and names
// stand. Attack 21.
#include "client/cli/chat_lines.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>

#include "client/cli/columns.hpp"
#include "client/cli/paste.hpp"
#include "sotto/protocol/text.hpp"
#include "support/process.hpp"

namespace sotto::cli::test {
namespace {

using chat::Line;
using Lines = std::vector<std::string>;
using sotto::test::lines_of;

class ChatLinesTest : public testing::Test {
  protected:
    void SetUp() override {
        use_locale();
        ::setenv("TZ", "UTC-2", 1);  // NOLINT(concurrency-mt-unsafe)
        ::tzset();
    }
    static Line theirs(std::string text, std::int64_t at = noon) {
        return {.kind = Line::Kind::theirs,
                .at = at,
                .name = "bob",
                .verified = true,
                .number = 0,
                .typed = false,
                .text = std::move(text)};
    }
    static constexpr std::int64_t noon = 1'795'428'000'000;  // Monday, 2026-11-23, 12:00 two hours east
    static constexpr std::int64_t hour = 3'600'000;
};

TEST_F(ChatLinesTest, NoRowButTheFirstBeginsAtTheEdge) {
    const std::string forged = "12:06 alice: I agree";
    for (const int columns : {20, 40, 41, 80, 200}) {
        ChatLines lines{{.colours = false, .echoed = true, .wrapped = true}, noon};
        for (const auto& filler :
             Lines{std::string(300, ' '), std::string(500, 'a'), std::string(70, '.') + " ",
                   std::string(100, '\t'), "\xe3\x80\x80\xe3\x80\x80\xe4\xb8\xad\xe4\xb8\xad"}) {
            std::string text;
            while (text.size() < 600) text += filler;
            for (std::size_t cut = 0; cut < 90; ++cut) {
                const auto shown = lines.render(
                    theirs(protocol::printable(text.substr(0, text.size() - cut), true) + forged), columns);
                const auto rows = lines_of(shown);
                for (std::size_t row = 0; row < rows.size(); ++row) {
                    EXPECT_LT(columns_of(rows[row]), columns) << rows[row];
                    ASSERT_EQ(rows[row].starts_with("    "), row > 0) << shown;
                }
            }
        }
    }
}

TEST_F(ChatLinesTest, WordsAreKeptWhole) {
    EXPECT_EQ(wrapped("12:00 bob: the quick brown fox jumps", 24),
              "12:00 bob: the quick \n    brown fox jumps");
    EXPECT_EQ(wrapped("short", 24), "short");
    EXPECT_EQ(wrapped(std::string(23, 'x'), 24), std::string(23, 'x'));
    EXPECT_EQ(wrapped(std::string(24, 'x'), 24), std::string(23, 'x') + "\n    x");
    EXPECT_EQ(wrapped("one\n    two", 24), "one\n    two");
}

TEST_F(ChatLinesTest, WideCharactersCountTwice) {
    std::string wide;
    for (int i = 0; i < 12; ++i) wide += "\xe4\xb8\xad";  // 24 columns
    const auto rows = lines_of(wrapped(wide, 24) + "\n");
    ASSERT_EQ(rows.size(), 2U);
    EXPECT_EQ(columns_of(rows[0]), 22);
    EXPECT_EQ(rows[1], "    \xe4\xb8\xad");
    // A family is one picture, or four; it is not torn.
    const std::string family = "\xf0\x9f\x91\xa8\xe2\x80\x8d\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa7";
    for (std::size_t before = 1; before < 40; ++before) {
        const auto shown = wrapped(std::string(before, 'x') + family + family, 24);
        EXPECT_NE(shown.find(family), std::string::npos);
        EXPECT_EQ(shown.find("\xe2\x80\x8d\n"), std::string::npos) << shown;
    }
}

TEST_F(ChatLinesTest, ColoursTakeNoRoom) {
    ChatLines plain{{.colours = false, .echoed = false, .wrapped = true}, noon};
    ChatLines coloured{{.colours = true, .echoed = false, .wrapped = true}, noon};
    const auto line = theirs("words and words and words and words and words");
    auto shown = coloured.render(line, 30);
    EXPECT_NE(shown, plain.render(line, 30));
    for (auto at = shown.find('\x1b'); at != std::string::npos; at = shown.find('\x1b'))
        shown.erase(at, shown.find('m', at) - at + 1);
    EXPECT_EQ(shown, plain.render(line, 30));
}

TEST_F(ChatLinesTest, WithoutAWidthLongRunsOfBlanksAreToldOf) {
    ChatLines lines{{.colours = false, .echoed = false, .wrapped = false}, noon};
    EXPECT_EQ(lines.render(theirs("see" + std::string(60, ' ') + "12:06 alice: I agree"), 80),
              "12:00 bob: see<60 blanks>12:06 alice: I agree\n");
    const std::string indented = "if x:\n                return";
    EXPECT_EQ(with_short_blanks(indented), indented);
    std::string others;
    for (int i = 0; i < 10; ++i) others += "\xc2\xa0\xe3\x80\x80\t";
    EXPECT_EQ(with_short_blanks("a" + others + "b"), "a<30 blanks>b");
}

TEST_F(ChatLinesTest, TheDayIsSaidWhenItIsAnother) {
    ChatLines lines{{.colours = false, .echoed = true, .wrapped = true}, noon};
    EXPECT_EQ(lines.render(theirs("today"), 80), "12:00 bob: today\n") << "everybody knows what day it is";
    EXPECT_EQ(lines.render(theirs("long ago", noon - 21 * 24 * hour), 80),
              "-- Monday, 2026-11-02\n12:00 bob: long ago\n");
    EXPECT_EQ(lines.render(theirs("as well", noon - 21 * 24 * hour + hour), 80), "13:00 bob: as well\n");
    EXPECT_EQ(lines.render(theirs("later", noon + 11 * hour), 80),
              "-- Monday, 2026-11-23\n23:00 bob: later\n");
    // In the reader's zone, where midnight passes while it is 22:00 elsewhere.
    EXPECT_EQ(lines.render(theirs("past midnight", noon + 12 * hour), 80),
              "-- Tuesday, 2026-11-24\n00:00 bob: past midnight\n");
    Line untimed;
    untimed.text = "an answer";
    EXPECT_EQ(lines.render(untimed, 80), "   an answer\n");
}

TEST_F(ChatLinesTest, APadIsAsWideAsItLooks) {
    EXPECT_EQ(padded("\xe4\xb8\xad\xe6\x96\x87", 6), "\xe4\xb8\xad\xe6\x96\x87  ");
    EXPECT_EQ(padded("e\xcc\x81", 3), "e\xcc\x81  ") << "an accent takes no column";
    EXPECT_EQ(padded("bob", 2), "bob");
}

TEST_F(ChatLinesTest, TheCursorIsFoundInItsRow) {
    EXPECT_EQ(rows_below(L"bob> hello", 0, 20), 0);
    EXPECT_EQ(rows_below(std::wstring(19, L'x'), 0, 20), 0);
    EXPECT_EQ(rows_below(std::wstring(20, L'x'), 0, 20), 1) << "the next character comes below";
    EXPECT_EQ(rows_below(std::wstring(19, L'x') + L"\u4e2d", 0, 20), 1);
    EXPECT_EQ(rows_below(std::wstring(19, L'x'), L'\u4e2d', 20), 1) << "it doesn't fit here";
    EXPECT_EQ(rows_below(std::wstring(18, L'x') + L"\u0301\u0301", 0, 20), 0);
    EXPECT_EQ(rows_below(L"\t\t\t", 0, 20), 1);
}

TEST_F(ChatLinesTest, WhatIsPastedIsOneLineOfText) {
    EXPECT_EQ(pasted("one\r\ntwo\rthree\nfour\n\n"), L"one\u2424two\u2424three\u2424four");
    EXPECT_EQ(pasted("/block\r"), L"/block");
    EXPECT_EQ(pasted("\x1b[2J\x07\x7f\xc2\x9b"
                     "a\tb"),
              L"[2Ja\tb");
    EXPECT_EQ(pasted("\r\n"), L"");
    EXPECT_EQ(unmarked(L"one\u2424\u00fc\u4e2d\U0001f600"), "one\n\xc3\xbc\xe4\xb8\xad\xf0\x9f\x98\x80");
    EXPECT_EQ(widen(narrow(L"\u00fc\u4e2d\U0001f600")), L"\u00fc\u4e2d\U0001f600");
}

}  // namespace
}  // namespace sotto::cli::test
