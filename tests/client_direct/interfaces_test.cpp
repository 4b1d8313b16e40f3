#include "interfaces.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace sotto::client::paths::test {
namespace {

template <class... Parts>
Bytes address(Parts... parts) {
    return {static_cast<std::byte>(parts)...};
}

TEST(InterfacesTest, ThisMachineHasALoopback) {
    const auto all = networks();
    const auto found = std::ranges::find(all, true, &Network::loopback);
    ASSERT_NE(found, all.end());
    EXPECT_TRUE(on_one_of({*found}, found->address));
}

TEST(InterfacesTest, ANeighbourIsOneWithTheSamePrefix) {
    const std::vector<Network> home{{.address = address(192, 168, 1, 5), .prefix = 24, .loopback = false},
                                    {.address = address(10, 0, 0, 77), .prefix = 26, .loopback = false}};
    EXPECT_TRUE(on_one_of(home, address(192, 168, 1, 200)));
    EXPECT_TRUE(on_one_of(home, address(10, 0, 0, 65)));
    EXPECT_FALSE(on_one_of(home, address(10, 0, 0, 63))) << "the prefix ends within a byte";
    EXPECT_FALSE(on_one_of(home, address(192, 168, 2, 5)));
    EXPECT_FALSE(on_one_of(home, address(127, 0, 0, 1)));
    EXPECT_FALSE(on_one_of(home, Bytes(16)));
    EXPECT_FALSE(on_one_of(home, {}));
    EXPECT_FALSE(on_one_of({}, address(192, 168, 1, 200)));
}

TEST(InterfacesTest, AnAddressOfOneHostMeansTheSameEverywhere) {
    EXPECT_TRUE(means_one_host(address(192, 168, 1, 5), false));
    EXPECT_TRUE(means_one_host(address(203, 0, 113, 9), false));
    EXPECT_TRUE(means_one_host(address(223, 255, 255, 255), false));
    for (const auto first : {0, 127, 224, 239, 240, 255})
        EXPECT_FALSE(means_one_host(address(first, 0, 0, 1), false)) << first;
    EXPECT_FALSE(means_one_host(address(255, 255, 255, 255), true));
    EXPECT_FALSE(means_one_host(address(169, 254, 1, 1), true));
    EXPECT_TRUE(means_one_host(address(169, 253, 1, 1), true));
    EXPECT_TRUE(means_one_host(address(127, 9, 9, 9), true));
    EXPECT_FALSE(means_one_host({}, true));

    const auto six = [](int first, int second, int eleventh, int last) {
        Bytes out(16);
        out[0] = static_cast<std::byte>(first);
        out[1] = static_cast<std::byte>(second);
        out[10] = out[11] = static_cast<std::byte>(eleventh);
        out[15] = static_cast<std::byte>(last);
        return out;
    };
    EXPECT_TRUE(means_one_host(six(0x20, 1, 0, 1), false));
    EXPECT_TRUE(means_one_host(six(0xfd, 0, 0, 1), false));
    EXPECT_FALSE(means_one_host(six(0xff, 2, 0, 1), true)) << "a group";
    EXPECT_FALSE(means_one_host(six(0xfe, 0x80, 0, 1), true)) << "link-local";
    EXPECT_FALSE(means_one_host(six(0xfe, 0xbf, 0, 1), true)) << "link-local too";
    EXPECT_FALSE(means_one_host(six(0, 0, 0, 0), true)) << "nobody's";
    EXPECT_FALSE(means_one_host(six(0, 0, 0, 1), false));
    EXPECT_TRUE(means_one_host(six(0, 0, 0, 1), true));
    EXPECT_FALSE(means_one_host(six(0, 0, 0, 2), true));
    EXPECT_FALSE(means_one_host(six(0, 0, 0xff, 9), true)) << "IPv4 in IPv6";
}

TEST(InterfacesTest, NobodyIsANeighbourWhereTheNetworkIsEverything) {
    EXPECT_FALSE(on_one_of({{.address = address(10, 0, 0, 1), .prefix = 0, .loopback = false}},
                           address(192, 168, 1, 1)));
}

}  // namespace
}  // namespace sotto::client::paths::test
