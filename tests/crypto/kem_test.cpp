// ML-KEM-768, FIPS 203.
#include "people.hpp"
#include "vectors.hpp"

namespace sotto::crypto::test {
namespace {

Bytes encoded(KeyType type, const Bytes& raw) {
    Bytes out(1 + raw.size());
    out[0] = std::byte{static_cast<std::uint8_t>(type)};
    std::ranges::copy(raw, out.begin() + 1);
    return out;
}

/// Gives the randomness of a vector.
class GivenRng final : public Rng {
  public:
    explicit GivenRng(Bytes bytes) : bytes_(std::move(bytes)) {}
    void fill(std::span<std::byte> out) override {
        ASSERT_EQ(out.size(), bytes_.size());
        std::ranges::copy(bytes_, out.begin());
    }

  private:
    Bytes bytes_;
};

TEST(MlKem768, BothSidesAgree) {
    SeededRng rng{1};
    const auto pair = KemKeyPair::generate(rng);
    const auto sent = pair.public_key().encapsulate(rng).value();
    const auto got = pair.decapsulate(sent.ciphertext).value();
    EXPECT_TRUE(equal_constant_time(sent.shared.expose(), got.expose()));
    EXPECT_EQ(KemKeyPair{pair.seed().clone()}.public_key(), pair.public_key());
}

TEST(MlKem768, AChangedCiphertextGivesAnotherSecretAndNoError) {
    SeededRng rng{2};
    const auto pair = KemKeyPair::generate(rng);
    auto sent = pair.public_key().encapsulate(rng).value();
    sent.ciphertext[100] ^= std::byte{1};
    const auto got = pair.decapsulate(sent.ciphertext).value();
    EXPECT_FALSE(equal_constant_time(sent.shared.expose(), got.expose()));
}

TEST(MlKem768, CoefficientsOverTheModulusAreRefused) {
    SeededRng rng{3};
    const auto good = KemKeyPair::generate(rng).public_key().encode();
    // The two coefficients of the first three bytes, at the largest value and one past it.
    const auto with = [&](unsigned first, unsigned second) {
        auto key = good;
        key[1] = static_cast<std::byte>(first & 0xffU);
        key[2] = static_cast<std::byte>((first >> 8U) | ((second & 0x0fU) << 4U));
        key[3] = static_cast<std::byte>(second >> 4U);
        return KemPublicKey::decode(key);
    };
    EXPECT_TRUE(with(3328, 3328).has_value());
    EXPECT_EQ(with(3329, 0).error(), Error::bad_key);
    EXPECT_EQ(with(0, 3329).error(), Error::bad_key);
    EXPECT_EQ(with(4095, 4095).error(), Error::bad_key);
}

TEST(MlKem768, WycheproofKeyGeneration) {
    SOTTO_NEED_VECTORS(file, "wycheproof/mlkem_768_keygen_seed_test.json");
    each_test(*file, [](const auto&, const auto& test) {
        const auto seed = bytes_in(test, "seed");
        const KemKeyPair pair{KemSeed{FixedView<64>{seed}}};
        EXPECT_EQ(to_bytes(pair.public_key().encode()), encoded(KeyType::mlkem768, bytes_in(test, "ek")));
    });
}

TEST(MlKem768, WycheproofEncapsulation) {
    SOTTO_NEED_VECTORS(file, "wycheproof/mlkem_768_encaps_test.json");
    each_test(*file, [](const auto&, const auto& test) {
        const auto key = KemPublicKey::decode(encoded(KeyType::mlkem768, bytes_in(test, "ek")));
        ASSERT_EQ(key.has_value(), test.at("result") == "valid");
        if (!key) return;
        GivenRng rng{bytes_in(test, "m")};
        const auto sent = key->encapsulate(rng).value();
        EXPECT_EQ(to_bytes(sent.ciphertext), bytes_in(test, "c"));
        EXPECT_EQ(to_bytes(sent.shared.expose()), bytes_in(test, "K"));
    });
}

TEST(MlKem768, WycheproofDecapsulation) {
    SOTTO_NEED_VECTORS(file, "wycheproof/mlkem_768_test.json");
    each_test(*file, [](const auto&, const auto& test) {
        const auto seed = bytes_in(test, "seed");
        const auto ciphertext = bytes_in(test, "c");
        if (seed.size() != 64 || ciphertext.size() != kem_ciphertext_size) {
            EXPECT_EQ(test.at("result"), "invalid") << "our types can't hold it";
            return;
        }
        const KemKeyPair pair{KemSeed{FixedView<64>{seed}}};
        const auto got = pair.decapsulate(FixedView<kem_ciphertext_size>{ciphertext});
        ASSERT_TRUE(got.has_value());
        EXPECT_EQ(to_bytes(got->expose()) == bytes_in(test, "K"), test.at("result") == "valid");
    });
}

}  // namespace
}  // namespace sotto::crypto::test
