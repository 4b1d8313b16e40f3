// Published answers. Figures are the named documents' own; where a document has none for a function that
// Sotto calls, they were computed with another implementation, which is then named.
#include "sotto/crypto/codec.hpp"
#include "sotto/crypto/passphrase.hpp"

#include "aead.hpp"
#include "bare.hpp"
#include "groups.hpp"
#include "numeric_fingerprint.hpp"
#include "people.hpp"
#include "primitives.hpp"
#include "primitives_hash.hpp"
#include "vectors.hpp"

namespace sotto::audit {
namespace {

using namespace crypto;  // NOLINT(google-build-using-namespace)

void x25519_vectors(Check& check) {
    struct Vector {
        const char* scalar;
        const char* point;
        const char* result;
    };
    constexpr std::array vectors{
        Vector{"a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
               "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
               "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552"},
        Vector{"4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
               "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
               "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957"},
    };
    for (const auto& v : vectors) {
        const auto scalar = check.vector(v.scalar);
        const auto point = check.vector(v.point);
        Array<32> out;
        check.expect(detail::x25519(fixed<32>(scalar), fixed<32>(point), out), "the result is not all zero");
        check.same(out, check.vector(v.result), "section 5.2");
    }
}

void x25519_iterated(Check& check) {
    Array<32> k{std::byte{9}};
    Array<32> u = k;
    for (int i = 1; i <= 1000; ++i) {
        Array<32> next;
        check.expect(detail::x25519(k, u, next), "the result is not all zero");
        u = k;
        k = next;
        if (i == 1)
            check.same(k, check.vector("422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079"),
                       "after one round");
    }
    check.same(k, check.vector("684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51"),
               "after a thousand rounds");
}

void x25519_agreement(Check& check) {
    const auto a = check.vector("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
    const auto b = check.vector("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb");
    const IdentityKeyPair alice{IdentityKeyPair::Seed{fixed<32>(a)}};
    const SignedPrekeyPair bob{SignedPrekeyPair::Seed{fixed<32>(b)}};
    check.same(alice.public_key().raw(),
               check.vector("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"), "her key");
    check.same(bob.public_key().raw(),
               check.vector("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"), "his key");
    const auto shared = check.vector("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
    Array<32> out;
    check.expect(alice.agree(bob.public_key(), out), "she agrees");
    check.same(out, shared, "what she gets");
    check.expect(bob.agree(alice.public_key(), out), "he agrees");
    check.same(out, shared, "what he gets");
}

void ed25519_vectors(Check& check) {
    struct Vector {
        const char* seed;
        const char* key;
        const char* message;
        const char* signature;
    };
    constexpr std::array vectors{
        Vector{
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
            "d25bf5f0595bbe24655141438e7a100b"},
        Vector{
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c"
            "387b2eaeb4302aeeb00d291612bb0c00"},
        Vector{
            "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc659"
            "4a7c15e9716ed28dc027beceea1ec40a"},
    };
    for (const auto& v : vectors) {
        const auto seed = check.vector(v.seed);
        const auto key = check.vector(v.key);
        const auto message = check.vector(v.message);
        const auto signature = check.vector(v.signature);
        Array<32> derived;
        detail::ed25519_public(fixed<32>(seed), derived);
        check.same(derived, key, "the public key");
        const auto made = ed25519_sign_raw(fixed<32>(seed), derived, message);
        check.same(made, signature, "the signature");
        check.expect(ed25519_verify_raw(fixed<32>(key), message, fixed<64>(signature)), "it verifies");
        for (std::size_t bit = 0; bit < 512; ++bit) {
            const auto bent = flipped(signature, bit / 8, bit % 8);
            check.expect(!ed25519_verify_raw(fixed<32>(key), message, fixed<64>(bent)),
                         "a changed signature is refused");
        }
    }
}

constexpr std::string_view sunscreen =
    "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen "
    "would be it.";
constexpr const char* aead_key = "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f";
constexpr const char* aead_data = "50515253c0c1c2c3c4c5c6c7";

void chacha20_poly1305(Check& check) {
    const auto key = check.vector(aead_key);
    const auto nonce = check.vector("070000004041424344454647");
    const auto data = check.vector(aead_data);
    const auto wanted = check.vector(
        "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b1a71"
        "de0"
        "a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc3ff4def08e4"
        "b7a"
        "9de576d26586cec64b6116 1ae10b594f09e26a7e902ecbd0600691");
    auto sealed = to_bytes(bytes_of(sunscreen));
    sealed.resize(sealed.size() + tag_size);
    seal(fixed<32>(key), fixed<12>(nonce), data, sealed);
    check.same(sealed, wanted, "ciphertext and tag");
    Bytes opened(sealed.size() - tag_size);
    check.expect(open(fixed<32>(key), fixed<12>(nonce), data, wanted, opened), "it opens");
    check.same(opened, bytes_of(sunscreen), "the plaintext");
    for (std::size_t at = 0; at < wanted.size(); ++at)
        check.expect(!open(fixed<32>(key), fixed<12>(nonce), data, flipped(wanted, at), opened),
                     "a changed byte is refused");
}

void xchacha20_poly1305(Check& check) {
    const auto key = check.vector(aead_key);
    const auto nonce = check.vector("404142434445464748494a4b4c4d4e4f5051525354555657");
    const auto data = check.vector(aead_data);
    const auto wanted = check.vector(
        "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa6440bf3a82f4eda7e39ae64"
        "c67"
        "08c54c216cb96b72e1213b4522f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff921f9664c976"
        "37d"
        "a9768812f615c68b13b52e c0875924c1c7987947deafd8780acf49");
    auto sealed = to_bytes(bytes_of(sunscreen));
    sealed.resize(sealed.size() + tag_size);
    xseal(fixed<32>(key), fixed<24>(nonce), data, sealed);
    check.same(sealed, wanted, "ciphertext and tag");
    Bytes opened(sealed.size() - tag_size);
    check.expect(xopen(fixed<32>(key), fixed<24>(nonce), data, wanted, opened), "it opens");
    check.same(opened, bytes_of(sunscreen), "the plaintext");
    for (std::size_t at = 0; at < wanted.size(); ++at)
        check.expect(!xopen(fixed<32>(key), fixed<24>(nonce), data, flipped(wanted, at), opened),
                     "a changed byte is refused");
}

constexpr std::array checks{
    Definition{"X25519 gives the published results", "RFC 7748 section 5.2", x25519_vectors},
    Definition{"X25519 a thousand times over", "RFC 7748 section 5.2", x25519_iterated},
    Definition{"X25519 key pairs agree", "RFC 7748 section 6.1", x25519_agreement},
    Definition{"Ed25519 signs and verifies, and refuses every changed bit", "RFC 8032 section 7.1",
               ed25519_vectors},
    Definition{"ChaCha20-Poly1305 seals and opens, and refuses every changed byte", "RFC 8439 section 2.8.2",
               chacha20_poly1305},
    Definition{"XChaCha20-Poly1305 seals and opens, and refuses every changed byte",
               "draft-irtf-cfrg-xchacha-03 A.3.1", xchacha20_poly1305},
    Definition{"HKDF-SHA-256 (not used by the protocol)", "RFC 5869 A.1 to A.3", hkdf_sha256_vectors},
    Definition{"HKDF-SHA-512 on RFC 5869's inputs", "RFC 5869 A.1 to A.3; outputs by Python's hmac",
               hkdf_sha512_vectors},
    Definition{"HMAC with SHA-256 and SHA-512", "RFC 4231 cases 1 to 3 and 6", hmac_vectors},
    Definition{"BLAKE2b", "RFC 7693 appendix A", blake2b_vectors},
    Definition{"Labelled hashes are BLAKE2b over label, zero byte and parts", "docs/protocol.md section 3",
               blake2b_labels},
    Definition{"SHA-256 and SHA-512", "FIPS 180-4, NIST's example \"abc\"", sha2_vectors},
    Definition{"SipHash-2-4", "Aumasson, Bernstein 2012, appendix A", siphash_vector},
    Definition{"Argon2id", "the reference implementation's command", argon2id_answer},
    Definition{"The numeric fingerprint of safety numbers", "Signal's published vector",
               safety_number_vector},
};

}  // namespace

std::span<const Definition> primitive_checks() {
    return checks;
}

}  // namespace sotto::audit
