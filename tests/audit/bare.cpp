#include "bare.hpp"

#include <sodium.h>

#include <stdexcept>

namespace sotto::audit::bare {
namespace {

unsigned char* uc(std::byte* p) {
    return reinterpret_cast<unsigned char*>(p);
}
const unsigned char* uc(const std::byte* p) {
    return reinterpret_cast<const unsigned char*>(p);
}
crypto_xof_shake128_state* shake(Array<256>& state) {
    static_assert(sizeof(crypto_xof_shake128_state) == 256);
    return reinterpret_cast<crypto_xof_shake128_state*>(state.data());
}
void require(bool good) {
    if (!good) throw std::runtime_error("libsodium refused a call");
}

}  // namespace

void start() {
    require(sodium_init() >= 0);
}

std::string sodium_version() {
    return sodium_version_string();
}

std::string processor_features() {
    start();
    std::string out;
    const auto add = [&out](int has, const char* name) {
        if (has != 0) out += (out.empty() ? "" : " ") + std::string{name};
    };
    add(sodium_runtime_has_ssse3(), "SSSE3");
    add(sodium_runtime_has_sse41(), "SSE4.1");
    add(sodium_runtime_has_avx(), "AVX");
    add(sodium_runtime_has_avx2(), "AVX2");
    add(sodium_runtime_has_avx512f(), "AVX-512F");
    add(sodium_runtime_has_neon(), "NEON");
    return out.empty() ? "none" : out;
}

Bytes hmac_sha256(ByteView key, ByteView message) {
    Bytes out(crypto_auth_hmacsha256_BYTES);
    crypto_auth_hmacsha256_state state;
    crypto_auth_hmacsha256_init(&state, uc(key.data()), key.size());
    crypto_auth_hmacsha256_update(&state, uc(message.data()), message.size());
    crypto_auth_hmacsha256_final(&state, uc(out.data()));
    return out;
}

Bytes hmac_sha512(ByteView key, ByteView message) {
    Bytes out(crypto_auth_hmacsha512_BYTES);
    crypto_auth_hmacsha512_state state;
    crypto_auth_hmacsha512_init(&state, uc(key.data()), key.size());
    crypto_auth_hmacsha512_update(&state, uc(message.data()), message.size());
    crypto_auth_hmacsha512_final(&state, uc(out.data()));
    return out;
}

std::optional<Bytes> hkdf_sha256(ByteView salt, ByteView input, ByteView info, std::size_t size) {
    Array<crypto_kdf_hkdf_sha256_KEYBYTES> prk;
    require(crypto_kdf_hkdf_sha256_extract(uc(prk.data()), uc(salt.data()), salt.size(), uc(input.data()),
                                           input.size()) == 0);
    Bytes out(size);
    if (crypto_kdf_hkdf_sha256_expand(uc(out.data()), size, reinterpret_cast<const char*>(info.data()),
                                      info.size(), uc(prk.data())) != 0)
        return std::nullopt;
    return out;
}

Bytes blake2b(ByteView key, ByteView message, std::size_t size) {
    Bytes out(size);
    require(crypto_generichash_blake2b(uc(out.data()), size, uc(message.data()), message.size(),
                                       uc(key.data()), key.size()) == 0);
    return out;
}

Array<8> siphash24(FixedView<16> key, ByteView message) {
    Array<8> out;
    require(crypto_shorthash_siphash24(uc(out.data()), uc(message.data()), message.size(), uc(key.data())) ==
            0);
    return out;
}

Array<64> sha512(ByteView message) {
    Array<64> out;
    require(crypto_hash_sha512(uc(out.data()), uc(message.data()), message.size()) == 0);
    return out;
}

Bytes chacha20_stream(FixedView<32> key, std::size_t size) {
    constexpr std::array<unsigned char, crypto_stream_chacha20_ietf_NONCEBYTES> nonce{};
    Bytes out(size);
    require(crypto_stream_chacha20_ietf(uc(out.data()), size, nonce.data(), uc(key.data())) == 0);
    return out;
}

std::optional<Array<32>> ed25519_add(FixedView<32> a, FixedView<32> b) {
    Array<32> out;
    if (crypto_core_ed25519_add(uc(out.data()), uc(a.data()), uc(b.data())) != 0) return std::nullopt;
    return out;
}

Bytes xwing_public_key(FixedView<32> seed) {
    Bytes out(crypto_kem_xwing_PUBLICKEYBYTES);
    Array<crypto_kem_xwing_SECRETKEYBYTES> secret;
    require(crypto_kem_xwing_seed_keypair(uc(out.data()), uc(secret.data()), uc(seed.data())) == 0);
    return out;
}

XWingSent xwing_encapsulate(ByteView public_key, FixedView<64> randomness) {
    require(public_key.size() == crypto_kem_xwing_PUBLICKEYBYTES);
    XWingSent out{Bytes(crypto_kem_xwing_CIPHERTEXTBYTES)};
    require(crypto_kem_xwing_enc_deterministic(uc(out.ciphertext.data()), uc(out.shared.data()),
                                               uc(public_key.data()), uc(randomness.data())) == 0);
    return out;
}

Array<32> xwing_decapsulate(FixedView<32> seed, ByteView ciphertext) {
    require(ciphertext.size() == crypto_kem_xwing_CIPHERTEXTBYTES);
    Bytes public_key(crypto_kem_xwing_PUBLICKEYBYTES);
    Array<crypto_kem_xwing_SECRETKEYBYTES> secret;
    require(crypto_kem_xwing_seed_keypair(uc(public_key.data()), uc(secret.data()), uc(seed.data())) == 0);
    Array<32> out;
    require(crypto_kem_xwing_dec(uc(out.data()), uc(ciphertext.data()), uc(secret.data())) == 0);
    return out;
}

Bytes mlkem_secret_key(FixedView<64> seed) {
    Bytes public_key(crypto_kem_mlkem768_PUBLICKEYBYTES);
    Bytes out(crypto_kem_mlkem768_SECRETKEYBYTES);
    require(crypto_kem_mlkem768_seed_keypair(uc(public_key.data()), uc(out.data()), uc(seed.data())) == 0);
    return out;
}

Shake128::Shake128() {
    crypto_xof_shake128_init(shake(state_));
}

void Shake128::put(ByteView bytes) {
    crypto_xof_shake128_update(shake(state_), uc(bytes.data()), bytes.size());
}

Bytes Shake128::take(std::size_t size) {
    Bytes out(size);
    crypto_xof_shake128_squeeze(shake(state_), uc(out.data()), size);
    return out;
}

}  // namespace sotto::audit::bare
