// Each deadline at its limit and one past it.
#include "keyserver/net/deadlines.hpp"

#include <gtest/gtest.h>

namespace sotto::keyserver {
namespace {

class DeadlinesTest : public testing::Test {
  protected:
    static constexpr std::uint64_t begin = 1'000'000;

    /// Late from the very millisecond after `limit` since `since`, and asked for by then.
    void expect_late(Late what, std::uint64_t since, std::uint64_t limit) const {
        EXPECT_EQ(deadlines.late(since + limit), std::nullopt);
        EXPECT_EQ(deadlines.late(since + limit + 1), what);
        EXPECT_LE(deadlines.next(), since + limit + 1);
    }
    void open(bool must_log_in = false) { deadlines.opened(begin, must_log_in); }

    Patience patience{
        .handshake = 100, .login = 200, .message = 300, .write = 400, .idle = 1000, .close = 50};
    Deadlines deadlines{patience, begin};
};

TEST_F(DeadlinesTest, TheHandshakeHasItsTimeWhateverComesMeanwhile) {
    deadlines.heard(begin + 90);
    expect_late(Late::handshake, begin, patience.handshake);
    EXPECT_EQ(deadlines.next(), begin + patience.handshake + 1);
}

TEST_F(DeadlinesTest, ALoginHasItsTimeFromTheOpenSocketOn) {
    deadlines.opened(begin + 80, true);
    deadlines.heard(begin + 200);
    expect_late(Late::login, begin + 80, patience.login);
    deadlines.logged_in();
    EXPECT_EQ(deadlines.late(begin + 80 + patience.login + 1), std::nullopt);
}

TEST_F(DeadlinesTest, NobodyWaitsForALoginWhereNoneIsAskedFor) {
    open();
    EXPECT_EQ(deadlines.late(begin + patience.login + 1), std::nullopt);
}

TEST_F(DeadlinesTest, AMessageHasItsTimeFromItsFirstByteOn) {
    open();
    deadlines.inside_message(true, begin + 10);
    deadlines.heard(begin + 200);
    deadlines.inside_message(true, begin + 200);  // still the same one
    expect_late(Late::message, begin + 10, patience.message);
    deadlines.inside_message(false, begin + 310);
    EXPECT_EQ(deadlines.late(begin + 10 + patience.message + 1), std::nullopt);
    deadlines.inside_message(true, begin + 310);
    expect_late(Late::message, begin + 310, patience.message);
}

TEST_F(DeadlinesTest, WhatIsWrittenHasItsTimeToBeTaken) {
    open();
    deadlines.blocked(true, begin + 20);
    deadlines.heard(begin + 300);  // it speaks, but doesn't listen
    deadlines.blocked(true, begin + 300);
    expect_late(Late::write, begin + 20, patience.write);
    deadlines.blocked(false, begin + 400);
    EXPECT_EQ(deadlines.late(begin + 20 + patience.write + 1), std::nullopt);
}

TEST_F(DeadlinesTest, SilenceIsPingedOnceAtHalfOfItsTimeAndThenTheEnd) {
    open();
    deadlines.heard(begin + 30);
    EXPECT_FALSE(deadlines.take_ping(begin + 30 + patience.idle / 2));
    EXPECT_EQ(deadlines.next(), begin + 30 + patience.idle / 2 + 1);
    EXPECT_TRUE(deadlines.take_ping(begin + 30 + patience.idle / 2 + 1));
    EXPECT_FALSE(deadlines.take_ping(begin + 30 + patience.idle));
    expect_late(Late::idle, begin + 30, patience.idle);
    EXPECT_EQ(deadlines.next(), begin + 30 + patience.idle + 1);
}

TEST_F(DeadlinesTest, AnySignOfLifeBeginsTheSilenceAnew) {
    open();
    EXPECT_TRUE(deadlines.take_ping(begin + patience.idle));
    deadlines.heard(begin + patience.idle);
    EXPECT_FALSE(deadlines.take_ping(begin + patience.idle + 1));
    expect_late(Late::idle, begin + patience.idle, patience.idle);
    EXPECT_TRUE(deadlines.take_ping(begin + 2 * patience.idle));
}

TEST_F(DeadlinesTest, ClosingHasItsTimeAndNothingElseCountsAnyMore) {
    open(true);
    deadlines.inside_message(true, begin);
    deadlines.blocked(true, begin);
    deadlines.closing(begin + 150);
    deadlines.closing(begin + 190);  // is closing already
    expect_late(Late::close, begin + 150, patience.close);
    EXPECT_FALSE(deadlines.take_ping(begin + patience.idle));
    EXPECT_EQ(deadlines.next(), begin + 150 + patience.close + 1);
}

TEST_F(DeadlinesTest, TheEarliestOfAllIsTheNext) {
    open(true);
    deadlines.blocked(true, begin);
    deadlines.inside_message(true, begin);
    EXPECT_EQ(deadlines.next(), begin + patience.login + 1);
    deadlines.logged_in();
    EXPECT_EQ(deadlines.next(), begin + patience.message + 1);
    deadlines.inside_message(false, begin);
    EXPECT_EQ(deadlines.next(), begin + patience.write + 1);
    deadlines.blocked(false, begin);
    EXPECT_EQ(deadlines.next(), begin + patience.idle / 2 + 1);
}

}  // namespace
}  // namespace sotto::keyserver
