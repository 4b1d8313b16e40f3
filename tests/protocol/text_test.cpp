#include "sotto/protocol/text.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sotto::protocol {
namespace {

using namespace std::string_literals;

TEST(Utf8, AcceptsTheEdgesOfEveryLength) {
    for (const auto& text : {""s, "\0"s, "\x7f"s, "\xc2\x80"s, "\xdf\xbf"s, "\xe0\xa0\x80"s, "\xed\x9f\xbf"s,
                             "\xee\x80\x80"s, "\xef\xbf\xbf"s, "\xf0\x90\x80\x80"s, "\xf4\x8f\xbf\xbf"s,
                             "na\xc3\xafve \xe2\x82\xac \xf0\x9f\x98\x80"s})
        EXPECT_TRUE(valid_utf8(text)) << text;
}

TEST(Utf8, RefusesOverlongSurrogateOutOfRangeAndBrokenForms) {
    for (const auto& text : {
             "\x80"s,
             "\xbf"s,
             "\xc0\x80"s,
             "\xc1\xbf"s,
             "\xe0\x80\x80"s,
             "\xe0\x9f\xbf"s,
             "\xf0\x80\x80\x80"s,
             "\xf0\x8f\xbf\xbf"s,
             "\xed\xa0\x80"s,
             "\xed\xbf\xbf"s,
             "\xf4\x90\x80\x80"s,
             "\xf5\x80\x80\x80"s,
             "\xff"s,
             "\xfe"s,
             "\xc2"s,
             "\xe2\x82"s,
             "\xf0\x9f\x98"s,
             "\xe2\x28\xa1"s,
             "\xf0\x9f\x28\x80"s,
             "ok\xc3"s,
         })
        EXPECT_FALSE(valid_utf8(text)) << testing::PrintToString(text);
}

TEST(Printable, LeavesOrdinaryTextAlone) {
    for (const auto& text : {"hello"s, "gr\xc3\xbc\xc3\x9f dich"s, "\xe4\xbd\xa0\xe5\xa5\xbd"s,
                             "\xf0\x9f\x98\x80"s, "\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d"s, "a\xcc\x81"s})
        EXPECT_EQ(printable(text), text);
}

TEST(Printable, ShowsEscapeSequencesInsteadOfRunningThem) {
    EXPECT_EQ(printable("\x1b[2J"), "<U+001B>[2J");
    EXPECT_EQ(printable("\x1b]0;title\x07"), "<U+001B>]0;title<U+0007>");
    EXPECT_EQ(printable("\xc2\x9b\x33\x31m"), "<U+009B>31m");  // CSI as one C1 control
    EXPECT_EQ(printable("a\rb"), "a<U+000D>b");
    EXPECT_EQ(printable("a\rb", true), "a<U+000D>b");
    EXPECT_EQ(printable("a\bb\x7f"), "a<U+0008>b<U+007F>");
    EXPECT_EQ(printable("\0"s), "<U+0000>");
}

TEST(Printable, KeepsLineFeedAndTabOnlyWhereLinesAreWanted) {
    EXPECT_EQ(printable("a\n\tb", true), "a\n\tb");
    EXPECT_EQ(printable("a\n\tb"), "a<U+000A><U+0009>b");
}

TEST(Printable, ShowsBidirectionalOverridesAndInvisibleCharacters) {
    EXPECT_EQ(printable("\xe2\x80\xae"
                        "gnp.exe"),
              "<U+202E>gnp.exe");
    EXPECT_EQ(printable("\xe2\x81\xa6x\xe2\x81\xa9", true), "<U+2066>x<U+2069>");
    EXPECT_EQ(printable("ali\xe2\x80\x8b"
                        "ce"),
              "ali<U+200B>ce");
    EXPECT_EQ(printable("ali\xe2\x80\x8d"
                        "ce",
                        true),
              "ali<U+200D>ce");
    EXPECT_EQ(printable("\xef\xbb\xbf"
                        "bob"),
              "<U+FEFF>bob");
    EXPECT_EQ(printable("a\xc2\xad"
                        "b"),
              "a<U+00AD>b");
    EXPECT_EQ(printable("\xf3\xa0\x81\xa1"), "<U+E0061>");  // a tag character
    EXPECT_EQ(printable("\xf4\x8f\xbf\xbf"), "<U+10FFFF>");
    EXPECT_EQ(printable("\xe3\x85\xa4"), "<U+3164>");
    EXPECT_EQ(printable("\xe2\x80\xa8"), "<U+2028>");
}

TEST(Printable, KeepsJoinersInMessagesWhereScriptsAndEmojiNeedThem) {
    const auto family = "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa7"s;
    const auto heart = "\xe2\x9d\xa4\xef\xb8\x8f"s;
    const auto persian = "\xd9\x85\xdb\x8c\xe2\x80\x8c\xd8\xae\xd9\x88"s;
    EXPECT_EQ(printable(family, true), family);
    EXPECT_EQ(printable(heart, true), heart);
    EXPECT_EQ(printable(persian, true), persian);
    EXPECT_NE(printable(family), family);
    EXPECT_NE(printable(heart), heart);
    EXPECT_NE(printable(persian), persian);
    EXPECT_EQ(printable("\xe2\x80\x8d\xe2\x80\x8d", true), "<U+200D><U+200D>");
    EXPECT_EQ(printable("a\xef\xb8\x8f", true), "a<U+FE0F>");
}

TEST(Printable, AnswersValidUtf8ToAnyBytes) {
    EXPECT_EQ(printable("a\xff"
                        "b"),
              "a\xef\xbf\xbd"
              "b");
    std::string every;
    for (int round = 0; round < 3; ++round)
        for (int byte = 0; byte < 256; ++byte) {
            every += static_cast<char>(byte);
            if (round == 1) every += static_cast<char>(0x80 + byte % 64);
            if (round == 2) every += "\x80";
        }
    const auto shown = printable(every, true);
    EXPECT_TRUE(valid_utf8(shown));
    EXPECT_EQ(shown.find('\x1b'), std::string::npos);
    EXPECT_EQ(shown.find('\r'), std::string::npos);
}

}  // namespace
}  // namespace sotto::protocol
