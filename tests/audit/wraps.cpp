// The seam between the library and libsodium, in this program alone: the linker sends the calls of these
// functions here (--wrap, CMakeLists.txt). Each does what libsodium does and marks as public what the
// protocol makes public; under a fault of a self-test it does something wrong instead.
#include <sodium.h>

#include <algorithm>
#include <array>
#include <atomic>

#include "declassify.hpp"
#include "faults.hpp"

// NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp): the linker's own names
namespace sotto::audit {
namespace {

std::atomic<Fault> active{Fault::none};

struct Named {
    Fault fault;
    std::string_view name;
};
constexpr std::array<Named, 12> names{{{Fault::none, "none"},
                                       {Fault::tags_ignored, "tags-ignored"},
                                       {Fault::comparisons_equal, "comparisons-equal"},
                                       {Fault::zero_agreements, "zero-agreements"},
                                       {Fault::signatures_ignored, "signatures-ignored"},
                                       {Fault::points_unchecked, "points-unchecked"},
                                       {Fault::kem_constant, "kem-constant"},
                                       {Fault::passphrase_ignored, "passphrase-ignored"},
                                       {Fault::wiping_left_out, "wiping-left-out"},
                                       {Fault::random_repeats, "random-repeats"},
                                       {Fault::comparison_branches, "comparison-branches"},
                                       {Fault::comparison_indexes, "comparison-indexes"}}};

bool on(Fault fault) {
    return active.load(std::memory_order_relaxed) == fault;
}

/// What a hurried programmer would write.
int compare_with_branches(const unsigned char* a, const unsigned char* b, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i)
        if (a[i] != b[i]) return -1;
    return 0;
}
int compare_with_table(const unsigned char* a, const unsigned char* b, std::size_t size) {
    static std::array<volatile unsigned char, 256> differs{};
    for (std::size_t i = 1; i < differs.size(); ++i) differs[i] = 1;
    unsigned any = 0;
    for (std::size_t i = 0; i < size; ++i) any |= differs[static_cast<unsigned char>(a[i] ^ b[i])];
    return any == 0 ? 0 : -1;
}

std::span<std::byte> bytes(void* data, std::size_t size) {
    return {static_cast<std::byte*>(data), size};
}
/// The answer is acted on by whoever asked, and shows in what they do next.
int answered(int result) {
    mark_public(&result, sizeof result);
    return result;
}

}  // namespace

std::string_view name(Fault fault) {
    const auto* const found = std::ranges::find(names, fault, &Named::fault);
    return found == names.end() ? "none" : found->name;
}
std::optional<Fault> fault_called(std::string_view wanted) {
    const auto* const found = std::ranges::find(names, wanted, &Named::name);
    if (found == names.end()) return std::nullopt;
    return found->fault;
}
Fault active_fault() {
    return active;
}
WithFault::WithFault(Fault fault) {
    active = fault;
}
WithFault::~WithFault() {
    active = Fault::none;
}

extern "C" {

void __real_sodium_memzero(void* data, std::size_t size);
void __wrap_sodium_memzero(void* data, std::size_t size);
void __wrap_sodium_memzero(void* data, std::size_t size) {
    if (!on(Fault::wiping_left_out)) __real_sodium_memzero(data, size);
}

int __real_sodium_memcmp(const void* a, const void* b, std::size_t size);
int __wrap_sodium_memcmp(const void* a, const void* b, std::size_t size);
int __wrap_sodium_memcmp(const void* a, const void* b, std::size_t size) {
    const auto* const x = static_cast<const unsigned char*>(a);
    const auto* const y = static_cast<const unsigned char*>(b);
    if (on(Fault::comparisons_equal)) return 0;
    if (on(Fault::comparison_branches)) return answered(compare_with_branches(x, y, size));
    if (on(Fault::comparison_indexes)) return answered(compare_with_table(x, y, size));
    return answered(__real_sodium_memcmp(a, b, size));
}

using AeadDecrypt = int(unsigned char*, unsigned long long*, unsigned char*, const unsigned char*,
                        unsigned long long, const unsigned char*, unsigned long long, const unsigned char*,
                        const unsigned char*);
AeadDecrypt __real_crypto_aead_chacha20poly1305_ietf_decrypt,
    __wrap_crypto_aead_chacha20poly1305_ietf_decrypt, __real_crypto_aead_xchacha20poly1305_ietf_decrypt,
    __wrap_crypto_aead_xchacha20poly1305_ietf_decrypt;

int __wrap_crypto_aead_chacha20poly1305_ietf_decrypt(unsigned char* m, unsigned long long* m_size,
                                                     unsigned char* unused, const unsigned char* c,
                                                     unsigned long long c_size, const unsigned char* ad,
                                                     unsigned long long ad_size, const unsigned char* nonce,
                                                     const unsigned char* key) {
    constexpr unsigned long long tag = crypto_aead_chacha20poly1305_ietf_ABYTES;
    if (on(Fault::tags_ignored) && c_size >= tag)
        return crypto_stream_chacha20_ietf_xor_ic(m, c, c_size - tag, nonce, 1, key);
    const int result = answered(__real_crypto_aead_chacha20poly1305_ietf_decrypt(m, m_size, unused, c, c_size,
                                                                                 ad, ad_size, nonce, key));
    if (c_size >= tag) mark_opened(bytes(m, c_size - tag));
    return result;
}

int __wrap_crypto_aead_xchacha20poly1305_ietf_decrypt(unsigned char* m, unsigned long long* m_size,
                                                      unsigned char* unused, const unsigned char* c,
                                                      unsigned long long c_size, const unsigned char* ad,
                                                      unsigned long long ad_size, const unsigned char* nonce,
                                                      const unsigned char* key) {
    constexpr unsigned long long tag = crypto_aead_xchacha20poly1305_ietf_ABYTES;
    if (on(Fault::tags_ignored) && c_size >= tag)
        return crypto_stream_xchacha20_xor_ic(m, c, c_size - tag, nonce, 1, key);
    const int result = answered(__real_crypto_aead_xchacha20poly1305_ietf_decrypt(
        m, m_size, unused, c, c_size, ad, ad_size, nonce, key));
    if (c_size >= tag) mark_opened(bytes(m, c_size - tag));
    return result;
}

int __real_crypto_scalarmult_curve25519(unsigned char* q, const unsigned char* n, const unsigned char* p);
int __wrap_crypto_scalarmult_curve25519(unsigned char* q, const unsigned char* n, const unsigned char* p);
int __wrap_crypto_scalarmult_curve25519(unsigned char* q, const unsigned char* n, const unsigned char* p) {
    const int result = answered(__real_crypto_scalarmult_curve25519(q, n, p));
    return on(Fault::zero_agreements) ? 0 : result;
}

int __real_crypto_scalarmult_curve25519_base(unsigned char* q, const unsigned char* n);
int __wrap_crypto_scalarmult_curve25519_base(unsigned char* q, const unsigned char* n);
int __wrap_crypto_scalarmult_curve25519_base(unsigned char* q, const unsigned char* n) {
    const int result = answered(__real_crypto_scalarmult_curve25519_base(q, n));
    mark_public(q, crypto_scalarmult_curve25519_BYTES);
    return result;
}

int __real_crypto_sign_ed25519_seed_keypair(unsigned char* pk, unsigned char* sk, const unsigned char* seed);
int __wrap_crypto_sign_ed25519_seed_keypair(unsigned char* pk, unsigned char* sk, const unsigned char* seed);
int __wrap_crypto_sign_ed25519_seed_keypair(unsigned char* pk, unsigned char* sk, const unsigned char* seed) {
    const int result = answered(__real_crypto_sign_ed25519_seed_keypair(pk, sk, seed));
    mark_public(pk, crypto_sign_ed25519_PUBLICKEYBYTES);
    return result;
}

int __real_crypto_sign_ed25519_detached(unsigned char* sig, unsigned long long* sig_size,
                                        const unsigned char* m, unsigned long long m_size,
                                        const unsigned char* sk);
int __wrap_crypto_sign_ed25519_detached(unsigned char* sig, unsigned long long* sig_size,
                                        const unsigned char* m, unsigned long long m_size,
                                        const unsigned char* sk);
int __wrap_crypto_sign_ed25519_detached(unsigned char* sig, unsigned long long* sig_size,
                                        const unsigned char* m, unsigned long long m_size,
                                        const unsigned char* sk) {
    const int result = answered(__real_crypto_sign_ed25519_detached(sig, sig_size, m, m_size, sk));
    mark_public(sig, crypto_sign_ed25519_BYTES);
    return result;
}

int __real_crypto_sign_ed25519_verify_detached(const unsigned char* sig, const unsigned char* m,
                                               unsigned long long size, const unsigned char* pk);
int __wrap_crypto_sign_ed25519_verify_detached(const unsigned char* sig, const unsigned char* m,
                                               unsigned long long size, const unsigned char* pk);
int __wrap_crypto_sign_ed25519_verify_detached(const unsigned char* sig, const unsigned char* m,
                                               unsigned long long size, const unsigned char* pk) {
    if (on(Fault::signatures_ignored)) return 0;
    return __real_crypto_sign_ed25519_verify_detached(sig, m, size, pk);
}

int __real_crypto_core_ed25519_is_valid_point(const unsigned char* p);
int __wrap_crypto_core_ed25519_is_valid_point(const unsigned char* p);
int __wrap_crypto_core_ed25519_is_valid_point(const unsigned char* p) {
    return on(Fault::points_unchecked) ? 1 : __real_crypto_core_ed25519_is_valid_point(p);
}

int __real_crypto_kem_mlkem768_seed_keypair(unsigned char* pk, unsigned char* sk, const unsigned char* seed);
int __wrap_crypto_kem_mlkem768_seed_keypair(unsigned char* pk, unsigned char* sk, const unsigned char* seed);
int __wrap_crypto_kem_mlkem768_seed_keypair(unsigned char* pk, unsigned char* sk, const unsigned char* seed) {
    const int result = answered(__real_crypto_kem_mlkem768_seed_keypair(pk, sk, seed));
    mark_public(pk, crypto_kem_mlkem768_PUBLICKEYBYTES);
    // FIPS 203 algorithm 16: the decapsulation key holds the encapsulation key and its hash.
    mark_public(sk + 1152, crypto_kem_mlkem768_PUBLICKEYBYTES + 32);
    return result;
}

int __real_crypto_kem_mlkem768_enc_deterministic(unsigned char* ct, unsigned char* ss,
                                                 const unsigned char* pk, const unsigned char* seed);
int __wrap_crypto_kem_mlkem768_enc_deterministic(unsigned char* ct, unsigned char* ss,
                                                 const unsigned char* pk, const unsigned char* seed);
int __wrap_crypto_kem_mlkem768_enc_deterministic(unsigned char* ct, unsigned char* ss,
                                                 const unsigned char* pk, const unsigned char* seed) {
    const int result = answered(__real_crypto_kem_mlkem768_enc_deterministic(ct, ss, pk, seed));
    mark_public(ct, crypto_kem_mlkem768_CIPHERTEXTBYTES);
    if (on(Fault::kem_constant)) std::fill_n(ss, crypto_kem_mlkem768_SHAREDSECRETBYTES, 0);
    return result;
}

int __real_crypto_kem_mlkem768_dec(unsigned char* ss, const unsigned char* ct, const unsigned char* sk);
int __wrap_crypto_kem_mlkem768_dec(unsigned char* ss, const unsigned char* ct, const unsigned char* sk);
int __wrap_crypto_kem_mlkem768_dec(unsigned char* ss, const unsigned char* ct, const unsigned char* sk) {
    const int result = answered(__real_crypto_kem_mlkem768_dec(ss, ct, sk));
    if (on(Fault::kem_constant)) std::fill_n(ss, crypto_kem_mlkem768_SHAREDSECRETBYTES, 0);
    return result;
}

int __real_crypto_shorthash_siphash24(unsigned char* out, const unsigned char* in, unsigned long long size,
                                      const unsigned char* key);
int __wrap_crypto_shorthash_siphash24(unsigned char* out, const unsigned char* in, unsigned long long size,
                                      const unsigned char* key);
int __wrap_crypto_shorthash_siphash24(unsigned char* out, const unsigned char* in, unsigned long long size,
                                      const unsigned char* key) {
    const int result = answered(__real_crypto_shorthash_siphash24(out, in, size, key));
    mark_public(out, crypto_shorthash_siphash24_BYTES);
    return result;
}

int __real_crypto_pwhash_argon2id(unsigned char* out, unsigned long long size, const char* password,
                                  unsigned long long password_size, const unsigned char* salt,
                                  unsigned long long passes, std::size_t memory, int algorithm);
int __wrap_crypto_pwhash_argon2id(unsigned char* out, unsigned long long size, const char* password,
                                  unsigned long long password_size, const unsigned char* salt,
                                  unsigned long long passes, std::size_t memory, int algorithm);
int __wrap_crypto_pwhash_argon2id(unsigned char* out, unsigned long long size, const char* password,
                                  unsigned long long password_size, const unsigned char* salt,
                                  unsigned long long passes, std::size_t memory, int algorithm) {
    if (on(Fault::passphrase_ignored)) return std::fill_n(out, size, 1), 0;
    return answered(
        __real_crypto_pwhash_argon2id(out, size, password, password_size, salt, passes, memory, algorithm));
}

void __real_randombytes_buf(void* data, std::size_t size);
void __wrap_randombytes_buf(void* data, std::size_t size);
void __wrap_randombytes_buf(void* data, std::size_t size) {
    if (on(Fault::random_repeats))
        std::ranges::fill(bytes(data, size), std::byte{0xff});
    else
        __real_randombytes_buf(data, size);
}

}  // extern "C"
}  // namespace sotto::audit
// NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp)
