// Published answers of hashes and key derivation.
#include "sotto/crypto/codec.hpp"
#include "sotto/crypto/passphrase.hpp"

#include "bare.hpp"
#include "groups.hpp"
#include "numeric_fingerprint.hpp"
#include "people.hpp"
#include "primitives.hpp"
#include "primitives_hash.hpp"
#include "vectors.hpp"

namespace sotto::audit {

using namespace crypto;  // NOLINT(google-build-using-namespace)

namespace {

Bytes counting(std::size_t from, std::size_t to) {
    Bytes out;
    for (std::size_t i = from; i < to; ++i) out.push_back(static_cast<std::byte>(i));
    return out;
}

struct HkdfInput {
    Bytes salt;
    Bytes input;
    Bytes info;
};

std::array<HkdfInput, 3> rfc5869_inputs() {
    return {{{counting(0, 13), repeated(22, 0x0b), counting(0xf0, 0xfa)},
             {counting(0x60, 0xb0), counting(0, 0x50), counting(0xb0, 0x100)},
             {{}, repeated(22, 0x0b), {}}}};
}

}  // namespace

void hkdf_sha256_vectors(Check& check) {
    const std::array wanted{
        check.vector("3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"),
        check.vector(
            "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e"
            "590e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87"),
        check.vector("8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8")};
    const auto inputs = rfc5869_inputs();
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        const auto& in = inputs.at(i);
        const auto got = bare::hkdf_sha256(in.salt, in.input, in.info, wanted.at(i).size());
        check.expect(got && *got == wanted.at(i), "the output");
    }
}

void hkdf_sha512_vectors(Check& check) {
    const std::array wanted{
        check.vector("832390086cda71fb47625bb5ceb168e4c8e26a1a16ed34d9fc7fe92c1481579338da362cb8d9f925d7cb"),
        check.vector(
            "ce6c97192805b346e6161e821ed165673b84f400a2b514b2fe23d84cd189ddf1b695b48cbd1c8388441137b3ce"
            "28f16aa64ba33ba466b24df6cfcb021ecff235f6a2056ce3af1de44d572097a8505d9e7a93"),
        check.vector("f5fa02b18298a72a8c23898a8703472c6eb179dc204c03425c970e3b164bf90fff22d04836d0e2343bac")};
    const auto inputs = rfc5869_inputs();
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        const auto& in = inputs.at(i);
        Bytes whole(wanted.at(i).size());
        hkdf_sha512(in.salt, {in.input}, chars_of(in.info), whole);
        check.same(whole, wanted.at(i), "the output");
        Bytes parts(whole.size());
        const ByteView input{in.input};
        hkdf_sha512(in.salt, {input.first(7), {}, input.subspan(7)}, chars_of(in.info), parts);
        check.same(parts, wanted.at(i), "the output of input in parts");
    }
}

void hmac_vectors(Check& check) {
    struct Vector {
        Bytes key;
        Bytes message;
        const char* sha256;
        const char* sha512;
    };
    const std::array vectors{
        Vector{
            repeated(20, 0x0b), to_bytes(bytes_of("Hi There")),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
            "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cdedaa833b7d6b8a702038b274eaea3f4e4"
            "be9d914eeb61f1702e696c203a126854"},
        Vector{
            to_bytes(bytes_of("Jefe")), to_bytes(bytes_of("what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fd"
            "caeab1a34d4a6b4b636e070a38bce737"},
        Vector{
            repeated(20, 0xaa), repeated(50, 0xdd),
            "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
            "fa73b0089d56a284efb0f0756c890be9b1b5dbdd8ee81a3655f83e33b2279d39bf3e848279a722c806b485a47e67c807"
            "b946a337bee8942674278859e13292fb"},
        Vector{
            repeated(131, 0xaa), to_bytes(bytes_of("Test Using Larger Than Block-Size Key - Hash Key First")),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
            "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f3526b56d037e05f2598bd0fd2215d6a1e52"
            "95e64f73f63f0aec8b915a985d786598"},
    };
    for (const auto& v : vectors) {
        check.same(bare::hmac_sha256(v.key, v.message), check.vector(v.sha256), "HMAC-SHA-256");
        check.same(bare::hmac_sha512(v.key, v.message), check.vector(v.sha512), "HMAC-SHA-512");
    }
}

void blake2b_vectors(Check& check) {
    check.same(
        bare::blake2b({}, bytes_of("abc"), 64),
        check.vector(
            "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d17d87c5392aab792dc252d5de45"
            "33cc9518d38aa8dbf1925ab92386edd4009923"),
        "BLAKE2b-512 of \"abc\"");
}

void blake2b_labels(Check& check) {
    constexpr Label label = "Sotto/1/audit";
    const auto key = counting(0, 32);
    const auto text = bytes_of("three parts of a message");
    auto input = to_bytes(bytes_of(label));
    input.push_back(std::byte{0});
    input.insert(input.end(), text.begin(), text.end());
    const std::initializer_list<ByteView> parts{text.first(5), text.subspan(5, 6), text.subspan(11)};
    check.same(hash(label, parts), bare::blake2b({}, input, 32), "hash");
    check.same(mac(key, label, parts), bare::blake2b(key, input, 32), "mac");
    Array<64> wide;
    mac64(key, label, parts, wide);
    check.same(wide, bare::blake2b(key, input, 64), "mac64");
    // Computed with Python's hashlib.
    check.same(hash("Sotto/1/test", {bytes_of("abc")}),
               check.vector("df9471d7cefa546d94bd6fe70a8fa1e5436e6e0b832954c0e2695030f5483f33"),
               "known hash");
    check.same(mac(key, "Sotto/1/test", {bytes_of("abc")}),
               check.vector("0f07d2f1c31830e88fa99304173c07c243bbb3dc32727f607dbd3d06af3b2db2"), "known mac");
}

void sha2_vectors(Check& check) {
    check.same(sha256(bytes_of("abc")),
               check.vector("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"), "SHA-256");
    check.same(
        bare::sha512(bytes_of("abc")),
        check.vector(
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3"
            "feebbd454d4423643ce80e2a9ac94fa54ca49f"),
        "SHA-512");
}

void siphash_vector(Check& check) {
    const auto key = counting(0, 16);
    check.same(bare::siphash24(fixed<16>(key), counting(0, 15)), check.vector("e545be4961ca29a1"),
               "of fifteen bytes");
}

void argon2id_answer(Check& check) {
    Array<16> salt;
    salt.fill(std::byte{0x02});
    const auto key =
        must(stretch(bytes_of("password"), salt, {.memory_kib = 8 * 1024, .passes = 1}), "stretching");
    check.same(key.expose(), check.vector("a0cc0d84d6376d733e3b12f9ea54102aebbe90255da61d65807de50265698e23"),
               "8 MiB, one pass");
}

void safety_number_vector(Check& check) {
    const auto alice = check.vector("0506863bc66d02b40d27b8d49ca7c09e9239236f9d7d25d6fcca5ce13c7064d868");
    const auto bob = check.vector("05f781b6fb32fed9ba1cf2de978d4d5da28dc34046ae814402b5c0dbd96fda907b");
    const auto a = numeric_fingerprint(alice, bytes_of("+14152222222"));
    const auto b = numeric_fingerprint(bob, bytes_of("+14153333333"));
    constexpr std::string_view wanted = "300354477692869396892869876765458257569162576843440918079131";
    check.expect(join_fingerprints(a, b) == wanted, "sixty digits");
    check.expect(join_fingerprints(b, a) == wanted, "the same ones on the other side");
}

}  // namespace sotto::audit
