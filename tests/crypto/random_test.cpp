#include "sotto/crypto/random.hpp"

#include <gtest/gtest.h>

#include <set>

namespace sotto::crypto {
namespace {

TEST(SeededRng, RepeatsItself) {
    SeededRng a{7};
    SeededRng b{7};
    for (int i = 0; i < 5; ++i) EXPECT_EQ(a.bytes<33>(), b.bytes<33>());
}

TEST(SeededRng, DiffersBySeedAndByDraw) {
    std::set<Array<32>> seen;
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        SeededRng rng{seed};
        for (int draw = 0; draw < 20; ++draw) EXPECT_TRUE(seen.insert(rng.bytes<32>()).second);
    }
}

TEST(SystemRng, DoesNotRepeat) {
    SystemRng rng;
    EXPECT_NE(rng.bytes<32>(), rng.bytes<32>());
}

TEST(Rng, BelowReachesEveryValueAndNoOther) {
    SeededRng rng{3};
    std::array<int, 7> counts{};
    for (int i = 0; i < 7000; ++i) ++counts.at(rng.below(7));
    for (const auto count : counts) EXPECT_NEAR(count, 1000, 200);
    EXPECT_EQ(rng.below(1), 0U);
    EXPECT_THROW((void)rng.below(0), std::invalid_argument);
    rng.fill({});
    SystemRng{}.fill({});
}

/// Gives what it was told to give.
class ScriptedRng final : public Rng {
  public:
    explicit ScriptedRng(std::vector<std::uint64_t> values) : values_(std::move(values)) {}
    void fill(std::span<std::byte> out) override {
        const auto value = values_.at(next_++);
        std::ranges::copy(std::as_bytes(std::span{&value, 1}), out.begin());
    }

  private:
    std::vector<std::uint64_t> values_;
    std::size_t next_ = 0;
};

TEST(Rng, BelowDrawsAgainWhereTheLastRoundIsShort) {
    // 2^64 = 2 * (2^63 - 1) + 2: the values 0 and 1 are in excess.
    ScriptedRng rng{{0, 1, 2}};
    EXPECT_EQ(rng.below((1ULL << 63U) - 1), 2U);
}

}  // namespace
}  // namespace sotto::crypto
