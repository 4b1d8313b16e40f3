#include "sotto/crypto/keys.hpp"

#include "primitives.hpp"
#include "vectors.hpp"

namespace sotto::crypto::test {
namespace {

template <std::size_t N>
Array<N> hex(std::string_view text) {
    const auto bytes = from_hex(text).value();
    Array<N> out{};
    EXPECT_EQ(bytes.size(), N);
    std::ranges::copy(bytes, out.begin());
    return out;
}

template <std::size_t N>
FixedView<N> fixed(const Bytes& bytes) {
    EXPECT_EQ(bytes.size(), N);
    return FixedView<N>{bytes};
}

bool accepts_ed25519(std::string_view key) {
    return AccountKey::from_raw(hex<32>(key)).has_value();
}
bool accepts_x25519(std::string_view key) {
    return IdentityKey::from_raw(hex<32>(key)).has_value();
}

// ---- Ed25519 ----

// RFC 8032 section 7.1: seeds and their public keys.
TEST(Ed25519, KnownPublicKeys) {
    for (const auto& [seed, key] : std::initializer_list<std::pair<std::string_view, std::string_view>>{
             {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
              "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"},
             {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
              "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"},
             {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
              "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025"}}) {
        const AccountKeyPair pair{AccountKeyPair::Seed{hex<32>(seed)}};
        EXPECT_EQ(to_hex(pair.public_key().raw()), key);
        EXPECT_TRUE(AccountKey::from_raw(pair.public_key().raw()).has_value());
    }
}

// RFC 8032 section 7.1, tests 1 and 2.
TEST(Ed25519, KnownSignatures) {
    const auto sign = [](std::string_view seed, std::string_view message) {
        const auto raw = hex<32>(seed);
        Array<32> key;
        detail::ed25519_public(raw, key);
        const auto bytes = from_hex(message).value();
        const auto signature = ed25519_sign_raw(raw, key, bytes);
        EXPECT_TRUE(ed25519_verify_raw(key, bytes, signature));
        return to_hex(signature);
    };
    EXPECT_EQ(
        sign("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", ""),
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
        "d25bf5f0595bbe24655141438e7a100b");
    EXPECT_EQ(
        sign("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb", "72"),
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c"
        "387b2eaeb4302aeeb00d291612bb0c00");
}

TEST(Ed25519, Wycheproof) {
    SOTTO_NEED_VECTORS(file, "wycheproof/ed25519_test.json");
    each_test(*file, [](const auto& group, const auto& test) {
        const auto key = from_hex(group.at("publicKey").at("pk").template get<std::string>()).value();
        const auto signature = bytes_in(test, "sig");
        const bool verifies = signature.size() == signature_size &&
                              ed25519_verify_raw(fixed<32>(key), bytes_in(test, "msg"), fixed<64>(signature));
        EXPECT_EQ(verifies, test.at("result") == "valid");
    });
}

TEST(Ed25519, SignaturesAreBoundToTheirLabel) {
    SeededRng rng{1};
    const auto pair = AccountKeyPair::generate(rng);
    const auto signature = pair.sign("Sotto/1/a", bytes_of("message"));
    EXPECT_TRUE(pair.public_key().verify("Sotto/1/a", bytes_of("message"), signature));
    EXPECT_FALSE(pair.public_key().verify("Sotto/1/b", bytes_of("message"), signature));
    EXPECT_FALSE(pair.public_key().verify("Sotto/1/a", bytes_of("Message"), signature));
    EXPECT_FALSE(
        AccountKeyPair::generate(rng).public_key().verify("Sotto/1/a", bytes_of("message"), signature));
    for (std::size_t i = 0; i < signature.size(); ++i) {
        auto changed = signature;
        changed[i] ^= std::byte{1};
        EXPECT_FALSE(pair.public_key().verify("Sotto/1/a", bytes_of("message"), changed));
    }
}

TEST(Ed25519, RefusesWeakAndStrangeKeys) {
    // The eight points of low order.
    EXPECT_FALSE(accepts_ed25519("0100000000000000000000000000000000000000000000000000000000000000"));
    EXPECT_FALSE(accepts_ed25519("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"));
    EXPECT_FALSE(accepts_ed25519("0000000000000000000000000000000000000000000000000000000000000000"));
    EXPECT_FALSE(accepts_ed25519("0000000000000000000000000000000000000000000000000000000000000080"));
    EXPECT_FALSE(accepts_ed25519("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"));
    EXPECT_FALSE(accepts_ed25519("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85"));
    EXPECT_FALSE(accepts_ed25519("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"));
    EXPECT_FALSE(accepts_ed25519("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa"));
    // Not canonical: y = p, p + 1 and 2^255 - 1.
    EXPECT_FALSE(accepts_ed25519("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"));
    EXPECT_FALSE(accepts_ed25519("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"));
    EXPECT_FALSE(accepts_ed25519("ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"));
    // Not on the curve.
    EXPECT_FALSE(accepts_ed25519("0200000000000000000000000000000000000000000000000000000000000000"));
}

/// A point of order 8 added to a good key: on the curve, of no low order, but outside the main subgroup.
TEST(Ed25519, RefusesTorsion) {
    // The key of RFC 8032 test 1 plus the first point of order 8 above.
    EXPECT_TRUE(accepts_ed25519("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"));
    EXPECT_FALSE(accepts_ed25519("3b5b475c4b82dd1572799fc546f4c6c03e478c6654aa4c7f945b347ea32af60d"));
}

// ---- X25519 ----

// RFC 7748 section 6.1.
TEST(X25519, KnownAgreement) {
    const IdentityKeyPair a{
        IdentityKeyPair::Seed{hex<32>("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a")}};
    const IdentityKeyPair b{
        IdentityKeyPair::Seed{hex<32>("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb")}};
    Array<32> shared;
    EXPECT_TRUE(a.agree(b.public_key(), shared));
    EXPECT_EQ(to_hex(shared), "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
    EXPECT_EQ(to_hex(b.public_key().raw()),
              "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
}

TEST(X25519, Wycheproof) {
    SOTTO_NEED_VECTORS(file, "wycheproof/x25519_test.json");
    std::size_t agreed = 0;
    std::size_t refused = 0;
    each_test(*file, [&](const auto&, const auto& test) {
        const auto secret = bytes_in(test, "private");
        const auto key = bytes_in(test, "public");
        const auto flags = test.at("flags").dump();
        const auto decoded = IdentityKey::from_raw(fixed<32>(key));
        const bool weak = flags.contains("NonCanonicalPublic") || flags.contains("LowOrderPublic") ||
                          flags.contains("ZeroSharedSecret") || flags.contains("SmallPublicKey") ||
                          (std::to_integer<unsigned>(key[31]) & 0x80U) != 0;
        if (!decoded) {
            EXPECT_TRUE(weak) << "a good key was refused";
            ++refused;
            return;
        }
        EXPECT_FALSE(flags.contains("NonCanonicalPublic") || flags.contains("LowOrderPublic") ||
                     flags.contains("ZeroSharedSecret"));
        Array<32> shared;
        EXPECT_TRUE(detail::x25519(fixed<32>(secret), decoded->raw(), shared));
        EXPECT_EQ(to_bytes(shared), bytes_in(test, "shared"));
        ++agreed;
    });
    EXPECT_GT(agreed, 200U);
    EXPECT_GT(refused, 20U);
}

TEST(X25519, RefusesWeakAndStrangeKeys) {
    EXPECT_FALSE(accepts_x25519("0000000000000000000000000000000000000000000000000000000000000000"));
    EXPECT_FALSE(accepts_x25519("0100000000000000000000000000000000000000000000000000000000000000"));
    EXPECT_FALSE(accepts_x25519("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"));
    EXPECT_FALSE(accepts_x25519("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"));
    EXPECT_FALSE(accepts_x25519("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"));
    // p, p + 1, 2^255 - 1: not canonical.
    EXPECT_FALSE(accepts_x25519("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"));
    EXPECT_FALSE(accepts_x25519("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"));
    EXPECT_FALSE(accepts_x25519("ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"));
    // The base point with its high bit set, then as it should be; p - 2 is the largest that is accepted.
    EXPECT_FALSE(accepts_x25519("0900000000000000000000000000000000000000000000000000000000000080"));
    EXPECT_TRUE(accepts_x25519("0900000000000000000000000000000000000000000000000000000000000000"));
    EXPECT_TRUE(accepts_x25519("ebffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"));
    EXPECT_TRUE(accepts_x25519("edfffffffffffffffffffffffffffffffffffffffffffffffffffffffffeff7f"));
}

TEST(X25519, AllZeroSecretIsReported) {
    Array<32> zero_point{};
    Array<32> out;
    EXPECT_FALSE(detail::x25519(hex<32>("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a"),
                                zero_point, out));
}

// ---- encodings ----

TEST(KeyEncoding, TypesCanNotBeConfused) {
    SeededRng rng{2};
    const auto signing = DeviceSigningKeyPair::generate(rng).public_key().encode();
    const auto agreement = IdentityKeyPair::generate(rng).public_key().encode();
    const auto kem = KemKeyPair::generate(rng).public_key().encode();
    EXPECT_TRUE(DeviceSigningKey::decode(signing).has_value());
    EXPECT_TRUE(IdentityKey::decode(agreement).has_value());
    EXPECT_TRUE(KemPublicKey::decode(kem).has_value());

    EXPECT_EQ(DeviceSigningKey::decode(agreement).error(), Error::bad_key);
    EXPECT_EQ(IdentityKey::decode(signing).error(), Error::bad_key);
    EXPECT_FALSE(IdentityKey::decode(ByteView{kem}.first(encoded_key_size)).has_value());
    EXPECT_FALSE(KemPublicKey::decode(agreement).has_value());
    for (unsigned type = 0; type < 256; ++type) {
        auto changed = agreement;
        changed[0] = static_cast<std::byte>(type);
        EXPECT_EQ(IdentityKey::decode(changed).has_value(), type == 2);
        auto changed_kem = kem;
        changed_kem[0] = static_cast<std::byte>(type);
        EXPECT_EQ(KemPublicKey::decode(changed_kem).has_value(), type == 3);
    }
}

TEST(KeyEncoding, LengthsAreExact) {
    SeededRng rng{3};
    auto key = to_bytes(IdentityKeyPair::generate(rng).public_key().encode());
    for (std::size_t size = 0; size < key.size(); ++size)
        EXPECT_FALSE(IdentityKey::decode(ByteView{key}.first(size)).has_value());
    key.push_back(std::byte{0});
    EXPECT_FALSE(IdentityKey::decode(key).has_value());

    auto kem = to_bytes(KemKeyPair::generate(rng).public_key().encode());
    EXPECT_FALSE(KemPublicKey::decode(ByteView{kem}.first(kem.size() - 1)).has_value());
    EXPECT_FALSE(KemPublicKey::decode({}).has_value());
    kem.push_back(std::byte{0});
    EXPECT_FALSE(KemPublicKey::decode(kem).has_value());
}

TEST(KeyEncoding, WhatWasKeptIsReadWithoutCheckingTheKeyAgain) {
    SeededRng rng{4};
    const auto key = AccountKeyPair::generate(rng).public_key();
    auto encoded = key.encode();
    EXPECT_EQ(AccountKey::decode_kept(encoded).value(), key);
    EXPECT_FALSE(AccountKey::decode_kept(ByteView{encoded}.first(32)));
    encoded[0] = std::byte{static_cast<std::uint8_t>(KeyType::x25519)};
    EXPECT_FALSE(AccountKey::decode_kept(encoded));
}

TEST(KeyPair, ClonesAndComesBackFromItsSeed) {
    SeededRng rng{4};
    const auto pair = AccountKeyPair::generate(rng);
    EXPECT_EQ(pair.clone().public_key(), pair.public_key());
    EXPECT_EQ(AccountKeyPair{pair.seed().clone()}.public_key(), pair.public_key());
    EXPECT_EQ(pair.clone().sign("Sotto/1/t", {}), pair.sign("Sotto/1/t", {}));
}

TEST(KeyPair, BothSidesAgree) {
    SeededRng rng{5};
    const auto a = IdentityKeyPair::generate(rng);
    const auto b = SignedPrekeyPair::generate(rng);
    Array<32> from_a;
    Array<32> from_b;
    EXPECT_TRUE(a.agree(b.public_key(), from_a));
    EXPECT_TRUE(b.agree(a.public_key(), from_b));
    EXPECT_EQ(from_a, from_b);
}

}  // namespace
}  // namespace sotto::crypto::test
