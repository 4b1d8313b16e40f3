#include "sotto/crypto/passphrase.hpp"

#include <gtest/gtest.h>

#include "sotto/crypto/codec.hpp"

namespace sotto::crypto {
namespace {

constexpr PassphraseCost cheap{8 * 1024, 1};
constexpr Label purpose = "Sotto/1/test-wrap";

Array<16> salt() {
    Array<16> out;
    out.fill(std::byte{0x02});
    return out;
}

PassphraseKey key_of(std::string_view passphrase) {
    return stretch(bytes_of(passphrase), salt(), cheap).value();
}

// Computed with the reference implementation's command: 8 MiB, one pass, one lane, 32 bytes.
TEST(Passphrase, KnownAnswer) {
    EXPECT_EQ(to_hex(key_of("password").expose()),
              "a0cc0d84d6376d733e3b12f9ea54102aebbe90255da61d65807de50265698e23");
}

TEST(Passphrase, EveryInputCounts) {
    const auto key = key_of("correct horse");
    EXPECT_TRUE(equal_constant_time(key.expose(), key_of("correct horse").expose()));
    EXPECT_FALSE(equal_constant_time(key.expose(), key_of("correct horsf").expose()));
    auto other_salt = salt();
    other_salt[15] ^= std::byte{1};
    EXPECT_FALSE(
        equal_constant_time(key.expose(), stretch(bytes_of("correct horse"), other_salt, cheap)->expose()));
    EXPECT_FALSE(equal_constant_time(key.expose(),
                                     stretch(bytes_of("correct horse"), salt(), {8 * 1024, 2})->expose()));
    EXPECT_FALSE(equal_constant_time(key.expose(),
                                     stretch(bytes_of("correct horse"), salt(), {9 * 1024, 1})->expose()));
}

TEST(Passphrase, MayBeEmpty) {
    EXPECT_TRUE(stretch({}, salt(), cheap).has_value());
}

TEST(Passphrase, CostsOutOfRangeAreRefused) {
    for (const PassphraseCost cost : {PassphraseCost{8 * 1024 - 1, 1}, PassphraseCost{4 * 1024 * 1024 + 1, 1},
                                      PassphraseCost{8 * 1024, 0}, PassphraseCost{8 * 1024, 65},
                                      PassphraseCost{0, 0}, PassphraseCost{0xffffffff, 0xffffffff}}) {
        const auto result = stretch(bytes_of("x"), salt(), cost);
        ASSERT_FALSE(result.has_value());
        EXPECT_EQ(result.error(), Error::malformed);
    }
    EXPECT_TRUE(stretch(bytes_of("x"), salt(), {8 * 1024, 64}).has_value());
}

class Wrapped : public testing::Test {
  protected:
    SeededRng rng{5};
    PassphraseKey key = key_of("secret");
    Bytes wrapped = wrap(key, purpose, bytes_of("context"), bytes_of("master key"), rng);
};

TEST_F(Wrapped, OpensAgain) {
    EXPECT_EQ(wrapped.size(), 10 + wrap_overhead);
    const auto opened = unwrap(key, purpose, bytes_of("context"), wrapped);
    ASSERT_TRUE(opened.has_value());
    EXPECT_EQ(chars_of(*opened), "master key");
}

TEST_F(Wrapped, NothingMayDiffer) {
    EXPECT_FALSE(unwrap(key_of("Secret"), purpose, bytes_of("context"), wrapped).has_value());
    EXPECT_FALSE(unwrap(key, "Sotto/1/other", bytes_of("context"), wrapped).has_value());
    EXPECT_FALSE(unwrap(key, purpose, bytes_of("Context"), wrapped).has_value());
    for (std::size_t i = 0; i < wrapped.size(); ++i) {
        auto changed = wrapped;
        changed[i] ^= std::byte{1};
        EXPECT_FALSE(unwrap(key, purpose, bytes_of("context"), changed).has_value());
        EXPECT_FALSE(unwrap(key, purpose, bytes_of("context"), ByteView{wrapped}.first(i)).has_value());
    }
    wrapped.push_back(std::byte{0});
    EXPECT_EQ(unwrap(key, purpose, bytes_of("context"), wrapped).error(), Error::cannot_open);
}

TEST_F(Wrapped, NeverTheSameTwice) {
    EXPECT_NE(wrapped, wrap(key, purpose, bytes_of("context"), bytes_of("master key"), rng));
}

}  // namespace
}  // namespace sotto::crypto
