#include "bench/loadgen/mischief.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace sotto::loadgen {
namespace {

using testing::Not;
using testing::SizeIs;
using testing::StartsWith;

const Specimens good{.hello = std::string(500, 'h'), .upgrade = "GET / HTTP/1.1\r\nHost: here\r\n\r\n"};

Plan plan(Mischief kind, std::uint64_t number = 0) {
    crypto::SeededRng rng(number + 1);
    return plan_of(kind, number, good, rng);
}

TEST(Mischief, has_a_name_for_each_kind) {
    std::set<std::string_view> names;
    for (std::size_t i = 0; i < mischief_kinds; ++i) names.insert(name_of(static_cast<Mischief>(i)));
    EXPECT_THAT(names, SizeIs(mischief_kinds));
    EXPECT_EQ(name_of(Mischief::random_websocket), "random_websocket");
}

TEST(Mischief, announces_a_frame_in_the_shortest_form) {
    const std::string mask(4, '\0');
    EXPECT_EQ(frame_head(125), "\x82\xfd" + mask);
    EXPECT_EQ(frame_head(126), std::string("\x82\xfe\x00\x7e", 4) + mask);
    EXPECT_EQ(frame_head(0xffff), "\x82\xfe\xff\xff" + mask);
    EXPECT_EQ(frame_head(0x10000), std::string("\x82\xff\0\0\0\0\0\x01\0\0", 10) + mask);
}

TEST(Mischief, continues_a_message_in_frames_without_a_kind) {
    EXPECT_EQ(frame_head(1, false, true).front(), '\x02');
    EXPECT_EQ(frame_head(1, false, false).front(), '\x00');
    EXPECT_EQ(frame_head(1, true, false).front(), '\x80');
}

TEST(Mischief, floods_leave_by_themselves) {
    EXPECT_EQ(plan(Mischief::hello).bytes, good.hello);
    EXPECT_EQ(plan(Mischief::hello).after, After::leave_when_answered);
    EXPECT_EQ(plan(Mischief::handshake).depth, Depth::tls);
    EXPECT_EQ(plan(Mischief::handshake).after, After::leave);
}

TEST(Mischief, slow_writers_never_come_to_an_end_within_a_deadline) {
    for (const auto kind : {Mischief::slow_handshake, Mischief::slow_frame}) {
        EXPECT_TRUE(plan(kind).slow);
        EXPECT_EQ(plan(kind).after, After::wait);
        EXPECT_GT(plan(kind).bytes.size(), 60U) << name_of(kind);
    }
    EXPECT_TRUE(plan(Mischief::slow_upgrade).slow);
    EXPECT_EQ(plan(Mischief::slow_upgrade).depth, Depth::tls);
}

TEST(Mischief, oversized_peers_exceed_each_bound_in_turns) {
    std::set<std::string> heads;
    std::set<Depth> depths;
    for (std::uint64_t i = 0; i < 5; ++i) {
        const auto one = plan(Mischief::oversized, i);
        EXPECT_GT(one.bytes.size(), 64U * 1024) << i;
        EXPECT_EQ(one.after, After::wait) << i;
        heads.insert(one.bytes.substr(0, 10));
        depths.insert(one.depth);
    }
    EXPECT_THAT(heads, SizeIs(5));
    EXPECT_THAT(depths, SizeIs(3));
    EXPECT_THAT(plan(Mischief::oversized, 3).bytes, Not(testing::HasSubstr("\r\n\r\n")));
}

TEST(Mischief, truncated_peers_stop_half_way_everywhere_and_end_in_each_manner) {
    std::set<std::pair<Depth, After>> seen;
    for (std::uint64_t i = 0; i < 9; ++i) {
        const auto one = plan(Mischief::truncated, i);
        seen.emplace(one.depth, one.after);
        EXPECT_LT(one.bytes.size(), 2000U) << i;
        if (one.depth == Depth::websocket) {
            EXPECT_THAT(one.bytes, StartsWith(frame_head(2000)));
        } else {
            const auto& whole = one.depth == Depth::tcp ? good.hello : good.upgrade;
            EXPECT_EQ(one.bytes, whole.substr(0, whole.size() / 2));
        }
    }
    EXPECT_THAT(seen, SizeIs(9));
}

TEST(Mischief, random_peers_send_something_else_each_time) {
    for (const auto kind : {Mischief::random_tcp, Mischief::random_tls, Mischief::random_websocket})
        EXPECT_NE(plan(kind, 0).bytes, plan(kind, 1).bytes) << name_of(kind);
}

TEST(Allowance, gives_what_is_due_and_keeps_the_fraction) {
    Allowance ten_a_second{10};
    EXPECT_EQ(ten_a_second.take(0.05), 0U);
    EXPECT_EQ(ten_a_second.take(0.05), 1U);
    EXPECT_EQ(ten_a_second.take(0.5), 5U);
}

TEST(Allowance, does_not_make_up_for_a_long_pause) {
    Allowance hundred_a_second{100};
    EXPECT_EQ(hundred_a_second.take(60), 100U);
    Allowance one_in_ten_seconds{0.1};
    EXPECT_EQ(one_in_ten_seconds.take(60), 1U);
    Allowance none{0};
    EXPECT_EQ(none.take(60), 0U);
}

}  // namespace
}  // namespace sotto::loadgen
