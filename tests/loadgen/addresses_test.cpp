#include "bench/loadgen/addresses.hpp"

#include <gtest/gtest.h>

#include <set>

namespace sotto::loadgen {
namespace {

constexpr std::size_t many = 300'000;

TEST(SourceAddress, clients_have_addresses_of_their_own) {
    std::set<std::uint32_t> seen;
    for (std::size_t i = 0; i < many; ++i) seen.insert(source_address(i, 1));
    EXPECT_EQ(seen.size(), many);
}

TEST(SourceAddress, so_many_clients_share_one_as_were_asked_for) {
    EXPECT_EQ(source_address(0, 50), source_address(49, 50));
    EXPECT_NE(source_address(49, 50), source_address(50, 50));
    EXPECT_EQ(source_address(50, 50), source_address(1, 1));
}

TEST(SourceAddress, all_are_loopback_and_none_is_where_servers_listen) {
    for (const auto client : {std::size_t{0}, std::size_t{253}, std::size_t{254}, many, most_addresses - 1}) {
        const auto address = source_address(client, 1);
        EXPECT_TRUE(is_loopback(address));
        EXPECT_NE(address >> 16U, 127U << 8U);
        EXPECT_NE(address & 255U, 0U);
        EXPECT_NE(address & 255U, 255U);
    }
}

TEST(SourceAddress, after_the_last_one_it_begins_anew) {
    EXPECT_NE(source_address(most_addresses - 1, 1), source_address(0, 1));
    EXPECT_EQ(source_address(most_addresses, 1), source_address(0, 1));
}

TEST(SourceAddress, other_networks_are_not_loopback) {
    EXPECT_TRUE(is_loopback(0x7F000001U));
    EXPECT_FALSE(is_loopback(0x80000001U));
    EXPECT_FALSE(is_loopback(0x0A000001U));
}

}  // namespace
}  // namespace sotto::loadgen
