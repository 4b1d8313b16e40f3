// Expected values were computed with another implementation (Python's hashlib and hmac), vectors are
// Wycheproof's.
#include "sotto/crypto/hash.hpp"

#include "aead.hpp"
#include "primitives.hpp"
#include "vectors.hpp"

namespace sotto::crypto::test {
namespace {

constexpr Label label = "Sotto/1/test";

Array<32> counting_key() {
    Array<32> key;
    for (std::size_t i = 0; i < key.size(); ++i) key[i] = static_cast<std::byte>(i);
    return key;
}

TEST(Hash, KnownAnswers) {
    EXPECT_EQ(to_hex(hash(label, {bytes_of("abc")})),
              "df9471d7cefa546d94bd6fe70a8fa1e5436e6e0b832954c0e2695030f5483f33");
    EXPECT_EQ(to_hex(hash(label, {})), "ec59b867e9b6b3e3b8d62fc6f8c6d0eaaf4f2b94a17b650154a7964b2100c3cc");
}

TEST(Hash, PartsAreJoined) {
    EXPECT_EQ(hash(label, {bytes_of("a"), {}, bytes_of("bc")}), hash(label, {bytes_of("abc")}));
}

TEST(Hash, LabelsKeepUsesApart) {
    EXPECT_NE(hash("Sotto/1/a", {bytes_of("bc")}), hash("Sotto/1/ab", {bytes_of("c")}));
}

TEST(Mac, KnownAnswers) {
    EXPECT_EQ(to_hex(mac(counting_key(), label, {bytes_of("abc")})),
              "0f07d2f1c31830e88fa99304173c07c243bbb3dc32727f607dbd3d06af3b2db2");
    Array<64> wide;
    mac64(counting_key(), label, {bytes_of("abc")}, wide);
    EXPECT_EQ(to_hex(wide),
              "97d6730e4e816f44e704632e08f68c8ceac24fe60d789db47b6189f36b09547d"
              "5cc134267b2de3429ed8566e323484061bff5cca00571cb39560292890bcb8c1");
}

TEST(Mac, RefusesKeysOfTheWrongSize) {
    const auto key = counting_key();
    const ByteView short_key = ByteView{key}.first(15);
    const Bytes long_key(65);
    Array<64> out;
    EXPECT_THROW((void)mac(short_key, label, {}), std::invalid_argument);
    EXPECT_THROW(mac64(short_key, label, {}, out), std::invalid_argument);
    EXPECT_THROW((void)mac(long_key, label, {}), std::invalid_argument);
    EXPECT_NO_THROW((void)mac(ByteView{key}.first(16), label, {}));
    EXPECT_NO_THROW((void)mac(ByteView{long_key}.first(64), label, {}));
}

TEST(Hkdf, KnownAnswer) {
    const Bytes input(22, std::byte{0x0b});
    const auto key = counting_key();
    const auto salt = ByteView{key}.first(13);
    const auto info = from_hex("f0f1f2f3f4f5f6f7f8f9").value();
    Array<96> out;
    hkdf(salt, {input}, label, {info}, out);
    EXPECT_EQ(
        to_hex(out),
        "68d4a7a8e680dd2e9a7f78fbd538e75b9d5f1ca2d789d42e8232fb5cec7ef9cb7958de3f2ec861c2354f09e0deaf2423"
        "1bbc15f288d735588734f5afcd6ae9a3cf23a7efd1b1cb28c9b209943b8db69182dbfad21c9100d45bf230bfda4d321c");
    Array<96> in_parts;
    hkdf(salt, {ByteView{input}.first(5), ByteView{input}.subspan(5)}, label,
         {ByteView{info}.first(3), ByteView{info}.subspan(3)}, in_parts);
    EXPECT_EQ(out, in_parts);
}

TEST(Hkdf, Wycheproof) {
    SOTTO_NEED_VECTORS(file, "wycheproof/hkdf_sha512_test.json");
    each_test(*file, [](const auto&, const auto& test) {
        const auto salt = bytes_in(test, "salt");
        const auto input = bytes_in(test, "ikm");
        const auto info = bytes_in(test, "info");
        Bytes out(test.at("size").template get<std::size_t>());
        if (test.at("result") == "valid") {
            hkdf_sha512(salt, {input}, chars_of(info), out);
            EXPECT_EQ(out, bytes_in(test, "okm"));
        } else {
            EXPECT_THROW(hkdf_sha512(salt, {input}, chars_of(info), out), std::invalid_argument);
        }
    });
}

TEST(Sha256, KnownAnswer) {
    EXPECT_EQ(to_hex(sha256(bytes_of("abc"))),
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

/// One of Wycheproof's tests, whose nonce has N bytes; those of another size are passed over.
template <std::size_t N, class Seal, class Open>
void check_aead(const nlohmann::json& group, const nlohmann::json& test, Seal seal_with, Open open_with) {
    if (group.at("ivSize") != 8 * N) return;
    const auto key = bytes_in(test, "key");
    const auto nonce = bytes_in(test, "iv");
    const auto associated = bytes_in(test, "aad");
    const auto message = bytes_in(test, "msg");
    auto sealed = bytes_in(test, "ct");
    const auto tag = bytes_in(test, "tag");
    sealed.insert(sealed.end(), tag.begin(), tag.end());
    const FixedView<32> k{key};
    const FixedView<N> n{nonce};
    Bytes opened(message.size());
    const bool valid = test.at("result") == "valid";
    EXPECT_EQ(open_with(k, n, associated, sealed, opened), valid);
    if (!valid) return;
    EXPECT_EQ(opened, message);
    Bytes mine = message;
    mine.resize(message.size() + tag_size);
    seal_with(k, n, associated, mine);
    EXPECT_EQ(mine, sealed);
}

// RFC 8439 section 2.8.2 is Wycheproof's first.
TEST(Aead, WycheproofChaCha20Poly1305) {
    SOTTO_NEED_VECTORS(file, "wycheproof/chacha20_poly1305_test.json");
    each_test(*file, [](const auto& group, const auto& test) { check_aead<12>(group, test, seal, open); });
}

TEST(Aead, WycheproofXChaCha20Poly1305) {
    SOTTO_NEED_VECTORS(file, "wycheproof/xchacha20_poly1305_test.json");
    each_test(*file, [](const auto& group, const auto& test) { check_aead<24>(group, test, xseal, xopen); });
}

}  // namespace
}  // namespace sotto::crypto::test
