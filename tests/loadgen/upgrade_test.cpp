#include "bench/loadgen/net/upgrade.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sotto::loadgen {
namespace {

using testing::HasSubstr;

// The key and its answer are those of RFC 6455 section 1.3.
constexpr std::string_view key = "dGhlIHNhbXBsZSBub25jZQ==";
constexpr std::string_view accepted =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "sec-websocket-accept:  s3pPLMBiTxaQ9kYGzzhZRbK+xOo= \r\n\r\n";

TEST(Upgrade, asks_as_the_rfc_does) {
    const auto request = upgrade_request("localhost:7443", "/v1/delivery", key);
    EXPECT_TRUE(request.starts_with("GET /v1/delivery HTTP/1.1\r\n"));
    EXPECT_THAT(request, HasSubstr("\r\nHost: localhost:7443\r\n"));
    EXPECT_THAT(request, HasSubstr("\r\nSec-WebSocket-Version: 13\r\n"));
    EXPECT_THAT(request, HasSubstr("\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"));
    EXPECT_TRUE(request.ends_with("\r\n\r\n"));
}

TEST(Upgrade, keys_are_sixteen_bytes_and_never_the_same) {
    crypto::SeededRng rng(1);
    const auto first = upgrade_key(rng);
    EXPECT_EQ(first.size(), 24U);
    EXPECT_NE(first, upgrade_key(rng));
}

TEST(Upgrade, takes_the_answer_to_its_own_key_and_says_where_frames_begin) {
    const auto answer = read_upgrade_answer(std::string{accepted} + "\x82", key);
    ASSERT_TRUE(answer);
    EXPECT_TRUE(answer->accepted);
    EXPECT_EQ(answer->size, accepted.size());
}

TEST(Upgrade, refuses_the_answer_to_another_key_or_to_none) {
    const auto other = read_upgrade_answer(accepted, "AAAAAAAAAAAAAAAAAAAAAA==");
    ASSERT_TRUE(other);
    EXPECT_FALSE(other->accepted);
    const auto none = read_upgrade_answer("HTTP/1.1 101 Switching Protocols\r\n\r\n", key);
    ASSERT_TRUE(none);
    EXPECT_FALSE(none->accepted);
}

TEST(Upgrade, waits_for_the_whole_header) {
    for (std::size_t size = 0; size < accepted.size(); ++size)
        EXPECT_FALSE(read_upgrade_answer(accepted.substr(0, size), key)) << size;
}

TEST(Upgrade, a_refusal_says_when_to_come_again) {
    const auto answer = read_upgrade_answer("HTTP/1.1 429 Too Many Requests\r\nRetry-After: 17\r\n\r\n", key);
    ASSERT_TRUE(answer);
    EXPECT_FALSE(answer->accepted);
    EXPECT_THAT(answer->why, HasSubstr("429"));
    EXPECT_EQ(answer->retry_after, std::chrono::seconds{17});
}

TEST(Upgrade, a_refusal_cannot_ask_for_more_than_an_hour) {
    const auto answer = read_upgrade_answer("HTTP/1.1 503 Busy\r\nRetry-After: 4000000000\r\n\r\n", key);
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->retry_after, std::chrono::hours{1});
}

TEST(Upgrade, what_is_not_http_is_refused) {
    const auto answer = read_upgrade_answer("SSH-2.0-x\r\n\r\n", key);
    ASSERT_TRUE(answer);
    EXPECT_FALSE(answer->accepted);
    EXPECT_EQ(answer->retry_after, std::chrono::seconds{0});
}

}  // namespace
}  // namespace sotto::loadgen
