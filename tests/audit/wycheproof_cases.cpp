#include "wycheproof_cases.hpp"

#include <algorithm>

#include "aead.hpp"
#include "bare.hpp"
#include "people.hpp"
#include "primitives.hpp"
#include "sotto/crypto/codec.hpp"
#include "vectors.hpp"

namespace sotto::audit {
namespace {

using namespace crypto;  // NOLINT(google-build-using-namespace)
using nlohmann::json;

Bytes field(const json& test, const char* name) {
    return must(from_hex(test.at(name).get<std::string>()), "reading hexadecimal digits");
}
bool flagged(const json& test, std::string_view flag) {
    const auto& flags = test.at("flags");
    return std::ranges::any_of(flags, [&](const json& each) { return each.get<std::string>() == flag; });
}
bool is(const json& test, std::string_view result) {
    const auto given = test.at("result").get<std::string>();
    if (given != "valid" && given != "invalid" && given != "acceptable")
        throw std::runtime_error("result is " + given);
    return given == result;
}
std::string when(bool wrong, const char* what) {
    return wrong ? what : "";
}

/// `acceptable` here means that a library may refuse the public key. The primitive has to give the vector's
/// shared secret in any case, and has to report it exactly if it is all zero. Sotto's key types have to
/// refuse what is of low order or not canonical, and nothing else: a point on the twist is a good key (RFC
/// 7748).
std::string x25519(const json& /*group*/, const json& test) {
    const auto key = field(test, "public");
    const auto secret = field(test, "private");
    const auto shared = field(test, "shared");
    if (is(test, "invalid")) return "no vector of X25519 is known to be invalid";
    Array<32> out;
    const bool agreed = detail::x25519(fixed<32>(secret), fixed<32>(key), out);
    if (!std::ranges::equal(out, shared)) return "another shared secret";
    const bool zero = out == Array<32>{};
    if (agreed == zero) return "an all-zero secret is not told from others";
    if (zero != flagged(test, "ZeroSharedSecret")) return "the flag ZeroSharedSecret is wrong";
    const bool weak = flagged(test, "LowOrderPublic") || flagged(test, "NonCanonicalPublic") || zero;
    if (weak && is(test, "valid")) return "a weak key is said to be valid";
    const bool taken = IdentityKey::decode(encoded(KeyType::x25519, key)).has_value();
    if (taken == weak) return weak ? "a weak key is taken" : "a good key is refused";
    return {};
}

std::string ed25519(const json& group, const json& test) {
    const auto key = field(group.at("publicKey"), "pk");
    const auto message = field(test, "msg");
    const auto signature = field(test, "sig");
    if (is(test, "acceptable")) return "no signature may be acceptable only";
    if (!DeviceSigningKey::decode(encoded(KeyType::ed25519, key))) return "the public key is refused";
    // Our signatures have a type of their own: 64 bytes, or it is none.
    const bool verifies = signature.size() == signature_size &&
                          ed25519_verify_raw(fixed<32>(key), message, fixed<64>(signature));
    return when(verifies != is(test, "valid"), "accepted and refused the wrong way round");
}

template <std::size_t NonceSize, auto Seal, auto Open>
std::string aead(const json& /*group*/, const json& test) {
    const auto key = field(test, "key");
    const auto nonce = field(test, "iv");
    const auto data = field(test, "aad");
    const auto message = field(test, "msg");
    const auto sealed = joined(field(test, "ct"), field(test, "tag"));
    if (is(test, "acceptable")) return "no ciphertext may be acceptable only";
    const bool valid = is(test, "valid");
    // Our functions take nonces of one size: of another one there is no way to call them.
    if (nonce.size() != NonceSize) return when(valid, "a nonce of another size is said to be valid");
    const auto k = fixed<32>(key);
    const auto n = fixed<NonceSize>(nonce);
    if (sealed.size() < tag_size) return when(valid, "shorter than a tag and said to be valid");
    Bytes opened(sealed.size() - tag_size);
    if (Open(k, n, data, sealed, opened) != valid) return "opened and refused the wrong way round";
    if (!valid) return {};
    if (opened != message) return "another plaintext";
    auto made = joined(message, repeated(tag_size, 0));
    Seal(k, n, data, made);
    return when(made != sealed, "another ciphertext or tag");
}

std::string hkdf256(const json& /*group*/, const json& test) {
    const auto out = bare::hkdf_sha256(field(test, "salt"), field(test, "ikm"), field(test, "info"),
                                       test.at("size").get<std::size_t>());
    if (is(test, "acceptable")) return "no derivation may be acceptable only";
    if (!out) return when(!is(test, "invalid"), "refused");
    return when(!is(test, "valid") || *out != field(test, "okm"), "another output");
}

std::string hkdf512(const json& /*group*/, const json& test) {
    if (is(test, "acceptable")) return "no derivation may be acceptable only";
    const auto info = field(test, "info");
    Bytes out(test.at("size").get<std::size_t>());
    try {
        hkdf_sha512(field(test, "salt"), {field(test, "ikm")}, chars_of(info), out);
    } catch (const std::invalid_argument&) {
        return when(!is(test, "invalid"), "refused");
    }
    return when(!is(test, "valid") || out != field(test, "okm"), "another output");
}

template <auto Hmac>
std::string hmac(const json& group, const json& test) {
    if (is(test, "acceptable")) return "no tag may be acceptable only";
    const auto tag = field(test, "tag");
    if (tag.size() * 8 != group.at("tagSize").get<std::size_t>())
        return when(is(test, "valid"), "a tag of another size");
    const auto whole = Hmac(field(test, "key"), field(test, "msg"));
    if (tag.size() > whole.size()) return "a tag that is longer than the hash";
    // Some groups cut the tag: its front has to be right.
    const bool same = equal_constant_time(ByteView{whole}.first(tag.size()), tag);
    return when(same != is(test, "valid"), same ? "a wrong tag is right" : "another tag");
}

std::string kem_keys(const json& /*group*/, const json& test) {
    if (!is(test, "valid")) return "no seed may be invalid";
    const auto seed = field(test, "seed");
    const KemKeyPair pair{KemSeed{fixed<64>(seed)}};
    const auto key = pair.public_key().encode();
    if (!std::ranges::equal(ByteView{key}.subspan(1), field(test, "ek"))) return "another encapsulation key";
    return when(bare::mlkem_secret_key(fixed<64>(seed)) != field(test, "dk"), "another decapsulation key");
}

std::string kem_encapsulation(const json& /*group*/, const json& test) {
    if (is(test, "acceptable")) return "no encapsulation may be acceptable only";
    const auto key = KemPublicKey::decode(encoded(KeyType::mlkem768, field(test, "ek")));
    if (!key) return when(!is(test, "invalid"), "the key is refused");
    GivenRng rng{field(test, "m")};
    const auto sent = key->encapsulate(rng);
    if (!sent) return when(!is(test, "invalid"), "refused");
    if (!is(test, "valid")) return "an invalid key is taken";
    if (!std::ranges::equal(sent->ciphertext, field(test, "c"))) return "another ciphertext";
    return when(!std::ranges::equal(sent->shared.expose(), field(test, "K")), "another shared secret");
}

std::string kem_decapsulation(const json& /*group*/, const json& test) {
    if (is(test, "acceptable")) return "no decapsulation may be acceptable only";
    const auto seed = field(test, "seed");
    const auto ciphertext = field(test, "c");
    // Our types hold seeds and ciphertexts of one size alone: anything else is refused where it is parsed.
    if (seed.size() != 64 || ciphertext.size() != kem_ciphertext_size)
        return when(!is(test, "invalid"), "another size is said to be valid");
    const KemKeyPair pair{KemSeed{fixed<64>(seed)}};
    const auto key = pair.public_key().encode();
    if (test.contains("ek") && !test.at("ek").get<std::string>().empty() &&
        !std::ranges::equal(ByteView{key}.subspan(1), field(test, "ek")))
        return "another encapsulation key";
    const auto got = pair.decapsulate(fixed<kem_ciphertext_size>(ciphertext));
    if (!got) return when(!is(test, "invalid"), "refused");
    const bool same = std::ranges::equal(got->expose(), field(test, "K"));
    return when(same != is(test, "valid"), "another shared secret");
}

constexpr std::string_view by_type =
    "other sizes of nonce can't be handed to the function: refused by its type";

const std::array kinds{
    Kind{"XDH", "xdh_comp_schema_v1.json", x25519, "detail::x25519 and the key types",
         "acceptable: the shared secret has to be the vector's, and Sotto has to refuse the public key if it "
         "is "
         "of low order or not canonical, and to take it otherwise (twist)"},
    Kind{"EDDSA", "eddsa_verify_schema_v1.json", ed25519, "ed25519_verify_raw", ""},
    Kind{"CHACHA20-POLY1305", "aead_test_schema_v1.json", aead<12, crypto::seal, crypto::open>,
         "seal and open", by_type},
    Kind{"XCHACHA20-POLY1305", "aead_test_schema_v1.json", aead<24, crypto::xseal, crypto::xopen>,
         "xseal and xopen", by_type},
    Kind{"HKDF-SHA-256", "hkdf_test_schema_v1.json", hkdf256, "libsodium's; not used by the protocol", ""},
    Kind{"HKDF-SHA-512", "hkdf_test_schema_v1.json", hkdf512, "hkdf_sha512", ""},
    Kind{"HMACSHA256", "mac_test_schema_v1.json", hmac<bare::hmac_sha256>, "libsodium's, beneath HKDF", ""},
    Kind{"HMACSHA512", "mac_test_schema_v1.json", hmac<bare::hmac_sha512>, "libsodium's, beneath HKDF", ""},
    Kind{"ML-KEM", "mlkem_keygen_seed_test_schema.json", kem_keys, "KemKeyPair", ""},
    Kind{"ML-KEM", "mlkem_encaps_test_schema.json", kem_encapsulation, "KemPublicKey", ""},
    Kind{"ML-KEM", "mlkem_test_schema.json", kem_decapsulation, "KemKeyPair::decapsulate",
         "seeds and ciphertexts of another size are refused by their type"},
};

}  // namespace

const Kind* kind_of(std::string_view algorithm, std::string_view schema) {
    const auto* const found = std::ranges::find_if(
        kinds, [&](const Kind& kind) { return kind.algorithm == algorithm && kind.schema == schema; });
    return found == kinds.end() ? nullptr : found;
}

std::string judge_xwing(const json& test) {
    const auto seed = field(test, "seed");
    const auto randomness = field(test, "eseed");
    const auto shared = field(test, "ss");
    if (field(test, "sk") != seed) return "the secret key is not the seed";
    const auto key = bare::xwing_public_key(fixed<32>(seed));
    if (key != field(test, "pk")) return "another public key";
    const auto sent = bare::xwing_encapsulate(key, fixed<64>(randomness));
    if (sent.ciphertext != field(test, "ct")) return "another ciphertext";
    if (!std::ranges::equal(sent.shared, shared)) return "another secret of the sender";
    return when(!std::ranges::equal(bare::xwing_decapsulate(fixed<32>(seed), sent.ciphertext), shared),
                "another secret of the receiver");
}

}  // namespace sotto::audit
