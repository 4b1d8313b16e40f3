#include "bare.hpp"
#include "groups.hpp"
#include "people.hpp"
#include "vectors.hpp"

namespace sotto::audit {
namespace {

using namespace crypto;  // NOLINT(google-build-using-namespace)

/// A hundred key pairs, encapsulations, decapsulations and decapsulations of random bytes from one stream of
/// SHAKE-128, and all that comes out hashed together.
void accumulated(Check& check) {
    bare::Shake128 in;
    bare::Shake128 out;
    for (int i = 0; i < 100; ++i) {
        const auto seed = in.take(64);
        const KemKeyPair pair{KemSeed{fixed<64>(seed)}};
        const auto key = pair.public_key().encode();
        out.put(ByteView{key}.subspan(1));
        GivenRng randomness{in.take(32)};
        const auto sent = must(pair.public_key().encapsulate(randomness), "encapsulating");
        out.put(sent.ciphertext);
        out.put(sent.shared.expose());
        const auto got = must(pair.decapsulate(sent.ciphertext), "decapsulating");
        check.same(got.expose(), sent.shared.expose(), "both sides have the same secret");
        const auto random = in.take(kem_ciphertext_size);
        const auto rejected = must(pair.decapsulate(fixed<kem_ciphertext_size>(random)), "decapsulating");
        out.put(rejected.expose());
    }
    check.same(out.take(32), check.vector("1114b1b6699ed191734fa339376afa7e285c9e6acf6ff0177d346696ce564415"),
               "all outputs of a hundred rounds");
}

void both_sides(Check& check) {
    SystemRng rng;
    for (int i = 0; i < 50; ++i) {
        const auto pair = KemKeyPair::generate(rng);
        const auto sent = must(pair.public_key().encapsulate(rng), "encapsulating");
        const auto got = must(pair.decapsulate(sent.ciphertext), "decapsulating");
        check.same(got.expose(), sent.shared.expose(), "the same secret on both sides");
        const auto other = must(KemKeyPair::generate(rng).decapsulate(sent.ciphertext), "decapsulating");
        check.expect(!equal_constant_time(other.expose(), sent.shared.expose()),
                     "another key, another secret");
    }
}

void changed_ciphertexts(Check& check) {
    SystemRng rng;
    const auto pair = KemKeyPair::generate(rng);
    const auto sent = must(pair.public_key().encapsulate(rng), "encapsulating");
    for (std::size_t at = 0; at < kem_ciphertext_size; ++at) {
        const auto bent = flipped(sent.ciphertext, at, at % 8);
        const auto got = must(pair.decapsulate(fixed<kem_ciphertext_size>(bent)), "decapsulating");
        check.expect(!equal_constant_time(got.expose(), sent.shared.expose()),
                     "a changed ciphertext gives another secret");
        const auto again = must(pair.decapsulate(fixed<kem_ciphertext_size>(bent)), "decapsulating");
        check.expect(equal_constant_time(got.expose(), again.expose()), "and always the same one");
    }
}

void modulus(Check& check) {
    SystemRng rng;
    const auto good = KemKeyPair::generate(rng).public_key().encode();
    // Every coefficient in turn at the largest value and at the first that is too large.
    for (std::size_t i = 0; i < 768; ++i) {
        for (const unsigned value : {3328U, 3329U, 4095U}) {
            auto key = good;
            const auto at = 1 + i / 2 * 3;
            if (i % 2 == 0) {
                key[at] = static_cast<std::byte>(value & 0xffU);
                key[at + 1] = (key[at + 1] & std::byte{0xf0}) | static_cast<std::byte>(value >> 8U);
            } else {
                key[at + 1] = (key[at + 1] & std::byte{0x0f}) | static_cast<std::byte>((value & 0x0fU) << 4U);
                key[at + 2] = static_cast<std::byte>(value >> 4U);
            }
            check.expect(KemPublicKey::decode(key).has_value() == (value < 3329), "the modulus check");
        }
    }
}

void lengths(Check& check) {
    SystemRng rng;
    const auto key = KemKeyPair::generate(rng).public_key().encode();
    for (std::size_t size = 0; size < key.size(); ++size)
        check.expect(!KemPublicKey::decode(ByteView{key}.first(size)), "a shorter key is refused");
    check.expect(!KemPublicKey::decode(joined(key, repeated(1, 0))), "a longer key is refused");
    for (unsigned type = 0; type < 256; ++type) {
        auto typed = key;
        typed[0] = static_cast<std::byte>(type);
        check.expect(KemPublicKey::decode(typed).has_value() == (type == 3), "one type byte is right");
    }
}

struct XWingVector {
    const char* seed;
    const char* randomness;
    const char* shared;
    const char* key_digest;
    const char* ciphertext_digest;
};

constexpr std::array xwing_vectors{
    XWingVector{
        "7f9c2ba4e88f827d616045507605853ed73b8093f6efbc88eb1a6eacfa66ef26",
        "3cb1eea988004b93103cfb0aeefd2a686e01fa4a58e8a3639ca8a1e3f9ae57e235b8cc873c23dc62b8d260169afa2f75ab"
        "916a58d974918835d25e6a435085b2",
        "d2df0522128f09dd8e2c92b1e905c793d8f57a54c3da25861f10bf4ca613e384",
        "2e816deebcd76c5c80d0cd2d174478871658e8e2ff42bc9d4a6e486372e856bb",
        "17cd532d657e44c897ca6583e548a5424fc70bf54f99515a4d2bcf99e3469f33"},
    XWingVector{
        "badfd6dfaac359a5efbb7bcc4b59d538df9a04302e10c8bc1cbf1a0b3a5120ea",
        "17cda7cfad765f5623474d368ccca8af0007cd9f5e4c849f167a580b14aabdefaee7eef47cb0fca9767be1fda69419dfb9"
        "27e9df07348b196691abaeb580b32d",
        "f2e86241c64d60f6649fbc6c5b7d17180b780a3f34355e64a85749949c45f150",
        "c42ba5f8430d7d2c83739338203819f090e8303ce9c8b02107c272bfa5376916",
        "1661ea86d608a1924ba30840cb0a65f13ae051e3aec9cf0f064efc0bc92f2154"},
};

void xwing(Check& check) {
    for (const auto& v : xwing_vectors) {
        const auto seed = check.vector(v.seed);
        const auto randomness = check.vector(v.randomness);
        const auto shared = check.vector(v.shared);
        const auto key = bare::xwing_public_key(fixed<32>(seed));
        check.same(sha256(key), check.vector(v.key_digest), "the public key's SHA-256");
        const auto sent = bare::xwing_encapsulate(key, fixed<64>(randomness));
        check.same(sha256(sent.ciphertext), check.vector(v.ciphertext_digest), "the ciphertext's SHA-256");
        check.same(sent.shared, shared, "the sender's secret");
        check.same(bare::xwing_decapsulate(fixed<32>(seed), sent.ciphertext), shared,
                   "the receiver's secret");
    }
}

constexpr std::array checks{
    Definition{"ML-KEM-768: a hundred key pairs, encapsulations, decapsulations and rejections",
               "FIPS 203; accumulated vector of Go's crypto/mlkem", accumulated},
    Definition{"ML-KEM-768: both sides agree, another key does not", "FIPS 203", both_sides},
    Definition{"ML-KEM-768: every changed byte of a ciphertext gives another secret and no error",
               "FIPS 203 section 6.3, implicit rejection", changed_ciphertexts},
    Definition{"ML-KEM-768: coefficients over the modulus are refused, each of the 768",
               "FIPS 203 section 7.2", modulus, "MlKem768.CoefficientsOverTheModulusAreRefused"},
    Definition{"ML-KEM-768: keys of another length or type are refused", "docs/protocol.md section 3",
               lengths, "KeyEncoding.TypesCanNotBeConfused"},
    Definition{"X-Wing of the same library (not used by the protocol)",
               "draft-connolly-cfrg-xwing-kem, appendix C", xwing},
};

}  // namespace

std::span<const Definition> kem_checks() {
    return checks;
}

}  // namespace sotto::audit
