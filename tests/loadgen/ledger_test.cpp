#include "bench/loadgen/ledger.hpp"

#include <gtest/gtest.h>

namespace sotto::loadgen {
namespace {

Ledger with_sent(int count) {
    Ledger ledger;
    for (int i = 0; i < count; ++i) (void)ledger.send();
    return ledger;
}

TEST(Ledger, numbers_messages_from_zero_up) {
    Ledger ledger;
    EXPECT_EQ(ledger.send(), 0U);
    EXPECT_EQ(ledger.send(), 1U);
    EXPECT_EQ(ledger.sent(), 2U);
}

TEST(Ledger, what_was_received_and_confirmed_is_not_lost_in_whatever_order_it_came) {
    auto ledger = with_sent(4);
    for (const std::uint64_t number : {2U, 0U, 3U, 1U}) {
        ledger.receive(number, false);
        ledger.confirm();
    }
    EXPECT_EQ(ledger.received(), 4U);
    EXPECT_EQ(ledger.lost(), 0U);
    EXPECT_EQ(ledger.duplicated(), 0U);
}

TEST(Ledger, what_was_confirmed_and_never_came_is_lost) {
    auto ledger = with_sent(3);
    for (int i = 0; i < 3; ++i) ledger.confirm();
    ledger.receive(0, false);
    ledger.receive(2, false);
    EXPECT_EQ(ledger.lost(), 1U);
}

TEST(Ledger, what_came_and_was_never_confirmed_is_lost_to_its_sender) {
    auto ledger = with_sent(2);
    ledger.receive(0, false);
    ledger.receive(1, false);
    ledger.confirm();
    EXPECT_EQ(ledger.lost(), 1U);
}

TEST(Ledger, a_second_copy_is_a_duplicate) {
    auto ledger = with_sent(3);
    ledger.receive(0, false);
    ledger.receive(0, false);
    ledger.receive(2, false);
    ledger.receive(2, false);
    EXPECT_EQ(ledger.duplicated(), 2U);
    EXPECT_EQ(ledger.received(), 2U);
}

TEST(Ledger, a_second_copy_on_a_later_connection_is_a_repeat) {
    auto ledger = with_sent(1);
    ledger.receive(0, false);
    ledger.receive(0, true);
    EXPECT_EQ(ledger.duplicated(), 0U);
    EXPECT_EQ(ledger.repeated(), 1U);
    EXPECT_EQ(ledger.received(), 1U);
}

TEST(Ledger, what_was_never_sent_is_a_duplicate_on_any_connection) {
    auto ledger = with_sent(1);
    ledger.receive(1, false);
    ledger.receive(7, true);
    EXPECT_EQ(ledger.duplicated(), 2U);
    EXPECT_EQ(ledger.received(), 0U);
}

}  // namespace
}  // namespace sotto::loadgen
