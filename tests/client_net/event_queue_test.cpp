#include "event_queue.hpp"

#include <gtest/gtest.h>

namespace sotto::client::net {
namespace {

const auto now = [] { return std::chrono::steady_clock::now(); };

TEST(EventQueue, GivesNothingOfAConnectionThatWasForgotten) {
    EventQueue queue{[] {}};
    const auto first = queue.open();
    const auto second = queue.open();
    queue.push(first, Connected{.id = 1, .exporter = {}, .verified_host = {}, .tls = {}});
    queue.push(second, Connected{.id = 2, .exporter = {}, .verified_host = {}, .tls = {}});
    queue.forget(first);
    queue.push(first, FrameReceived{.id = 1, .frame = {}});
    const auto event = queue.pop(now());
    ASSERT_TRUE(event);
    EXPECT_EQ(std::get<Connected>(*event).id, 2U);
    EXPECT_FALSE(queue.pop(now()));
}

TEST(EventQueue, IsFullFromItsHighMarkToItsLowMark) {
    int drained = 0;
    EventQueue queue{[&drained] { ++drained; }};
    const auto serial = queue.open();
    const std::size_t size = EventQueue::low_water;
    for (std::size_t i = 0; i <= EventQueue::high_water / size; ++i)
        queue.push(serial, FrameReceived{.id = 1, .frame = Bytes(size)});
    EXPECT_TRUE(queue.full());
    while (queue.full()) ASSERT_TRUE(queue.pop(now()));
    EXPECT_EQ(drained, 1);
    EXPECT_TRUE(queue.pop(now()));
    EXPECT_FALSE(queue.pop(now()));
    EXPECT_EQ(drained, 1);
}

TEST(EventQueue, OfAForgottenConnectionHasRoomAgain) {
    int drained = 0;
    EventQueue queue{[&drained] { ++drained; }};
    const auto serial = queue.open();
    queue.push(serial, FrameReceived{.id = 1, .frame = Bytes(EventQueue::high_water + 1)});
    EXPECT_TRUE(queue.full());
    queue.forget(serial);
    EXPECT_FALSE(queue.full());
    EXPECT_EQ(drained, 1);
}

}  // namespace
}  // namespace sotto::client::net
