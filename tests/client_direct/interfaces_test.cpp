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

TEST(InterfacesTest, NobodyIsANeighbourWhereTheNetworkIsEverything) {
    EXPECT_FALSE(on_one_of({{.address = address(10, 0, 0, 1), .prefix = 0, .loopback = false}},
                           address(192, 168, 1, 1)));
}

}  // namespace
}  // namespace sotto::client::paths::test
