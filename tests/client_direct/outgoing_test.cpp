#include "outgoing.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace sotto::client::paths::test {
namespace {

/// Takes so many bytes and then no more.
struct Room {
    std::size_t left = 0;
    std::size_t operator()(ByteView bytes) {
        const auto gone = std::min(left, bytes.size());
        left -= gone;
        return gone;
    }
};

TEST(OutgoingTest, NothingOvertakesWhatWaits) {
    Outgoing out;
    Room room{150};
    const auto send = [&](ByteView bytes) { return room(bytes); };
    EXPECT_TRUE(out.now(Bytes(100), send).empty());
    auto rest = out.now(Bytes(100), send);
    EXPECT_EQ(rest.size(), 50U);
    room.left = 1000;
    EXPECT_EQ(out.now(Bytes(10), send).size(), 10U) << "though there is room again";
    EXPECT_TRUE(out.queue(std::move(rest)));
    EXPECT_TRUE(out.flush(send));
    EXPECT_EQ(out.now(Bytes(10), send).size(), 10U) << "one piece is still on its way to the loop";
    EXPECT_TRUE(out.queue(Bytes(10)));
    EXPECT_TRUE(out.queue(Bytes(10)));
    EXPECT_TRUE(out.flush(send));
    EXPECT_TRUE(out.now(Bytes(10), send).empty());
}

TEST(OutgoingTest, AsMuchMayWaitAsIsSaid) {
    Outgoing out;
    Room none;
    const auto send = [&](ByteView bytes) { return none(bytes); };
    EXPECT_TRUE(out.queue(out.now(Bytes(max_unsent), send)));
    EXPECT_FALSE(out.queue(out.now(Bytes(1), send)));
}

TEST(OutgoingTest, WhatWasDroppedIsNotForgottenWhenThereIsRoomAgain) {
    Outgoing out;
    Room room;
    const auto send = [&](ByteView bytes) { return room(bytes); };
    EXPECT_TRUE(out.queue(out.now(Bytes(max_unsent), send)));
    auto last = out.now(Bytes(1), send);
    EXPECT_TRUE(out.now(Bytes(7), send).empty()) << "dropped";
    room.left = max_unsent;
    EXPECT_TRUE(out.flush(send));
    EXPECT_FALSE(out.queue(std::move(last))) << "a stream with a gap must not go on";
}

TEST(OutgoingTest, NothingIsSentAfterTheEnd) {
    Outgoing out;
    Room room{100};
    const auto send = [&](ByteView bytes) { return room(bytes); };
    EXPECT_TRUE(out.end());
    EXPECT_FALSE(out.end());
    EXPECT_TRUE(out.now(Bytes(10), send).empty());
    EXPECT_EQ(room.left, 100U);
}

}  // namespace
}  // namespace sotto::client::paths::test
