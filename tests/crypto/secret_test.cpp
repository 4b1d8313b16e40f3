#include "sotto/crypto/secret.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <new>
#include <type_traits>

namespace sotto::crypto {
namespace {

struct TestTag;
using Key = Secret<TestTag, 32>;

static_assert(!std::is_copy_constructible_v<Key> && !std::is_copy_assignable_v<Key>);
static_assert(std::is_nothrow_move_constructible_v<Key> && std::is_nothrow_move_assignable_v<Key>);
template <class T>
concept Comparable = requires(const T& a) { a == a; };
static_assert(!Comparable<Key>);
template <class T>
concept Iterable = requires(const T& a) { a.begin(); };
static_assert(!Iterable<Key>);

Array<32> pattern() {
    Array<32> out;
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<std::byte>(i + 1);
    return out;
}

bool zero(ByteView bytes) {
    return std::ranges::all_of(bytes, [](std::byte b) { return b == std::byte{}; });
}

TEST(Secret, IsWipedWhenItDies) {
    alignas(Key) Array<sizeof(Key)> storage;
    auto* const key = new (storage.data()) Key{FixedView<32>{pattern()}};
    ASSERT_FALSE(zero(storage));
    key->~Key();
    EXPECT_TRUE(zero(storage));
}

TEST(Secret, IsWipedWhenItIsMovedFrom) {
    Key from{FixedView<32>{pattern()}};
    Key to{std::move(from)};
    EXPECT_TRUE(zero(from.expose()));  // NOLINT(bugprone-use-after-move)
    EXPECT_TRUE(std::ranges::equal(to.expose(), pattern()));

    Key assigned;
    EXPECT_TRUE(zero(assigned.expose()));
    assigned = std::move(to);
    EXPECT_TRUE(zero(to.expose()));  // NOLINT(bugprone-use-after-move)
    EXPECT_TRUE(std::ranges::equal(assigned.expose(), pattern()));
}

TEST(Secret, SurvivesAssignmentToItself) {
    Key key{FixedView<32>{pattern()}};
    auto& same = key;
    key = std::move(same);
    EXPECT_TRUE(std::ranges::equal(key.expose(), pattern()));
}

TEST(Secret, CloneIsACopyOfItsOwn) {
    const Key key{FixedView<32>{pattern()}};
    auto copy = key.clone();
    copy.writable()[0] = std::byte{0};
    EXPECT_TRUE(std::ranges::equal(key.expose(), pattern()));
}

TEST(Secret, WipeTakesNothing) {
    wipe(nullptr, 0);
    Array<4> bytes{std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4}};
    wipe(bytes.data(), 3);
    EXPECT_EQ(bytes[2], std::byte{0});
    EXPECT_EQ(bytes[3], std::byte{4});
}

TEST(Secret, ComparesOverTheWholeLength) {
    const auto a = pattern();
    EXPECT_TRUE(equal_constant_time(a, a));
    for (std::size_t i = 0; i < a.size(); ++i) {
        auto b = a;
        b[i] ^= std::byte{0x80};
        EXPECT_FALSE(equal_constant_time(a, b));
    }
    EXPECT_FALSE(equal_constant_time(a, ByteView{a}.first(31)));
    EXPECT_TRUE(equal_constant_time({}, {}));
}

}  // namespace
}  // namespace sotto::crypto
