#include "bench/crypto/bare.hpp"

#include <sodium.h>

#include <array>
#include <map>
#include <stdexcept>
#include <string_view>
#include <vector>

namespace sotto::bench {
namespace {

using Byte = unsigned char;
template <std::size_t N>
using Buffer = std::array<Byte, N>;

constexpr std::string_view step_label = "Sotto/1/message";
constexpr std::size_t largest_text = 2 * chunk_size;

/// A call that failed has not done its work: nothing measured would mean anything.
void require(int result) {
    if (result != 0) throw std::runtime_error("a libsodium call failed in its benchmark");
}

template <std::size_t N>
Buffer<N> drawn() {
    Buffer<N> out;
    randombytes_buf(out.data(), out.size());
    return out;
}

}  // namespace

struct Bare::Buffers {
    Buffer<32> secret = drawn<32>();
    Buffer<32> peer{};
    Buffer<32> out32{};
    Buffer<64> out64{};
    Buffer<96> out96{};
    Buffer<32> key = drawn<32>();
    Buffer<16> short_key = drawn<16>();
    Buffer<16> salt{};
    Buffer<24> long_nonce = drawn<24>();
    Buffer<12> nonce{};
    Buffer<8> hint{};
    Buffer<192> agreements = drawn<192>();
    Buffer<58> info = drawn<58>();
    Buffer<16 + 16 + 32 + 61> body_context = drawn<125>();
    Buffer<45> header = drawn<45>();
    Buffer<61> sealed_header{};
    Buffer<crypto_sign_ed25519_PUBLICKEYBYTES> signer{};
    Buffer<crypto_sign_ed25519_SECRETKEYBYTES> signing{};
    Buffer<crypto_kem_mlkem768_SEEDBYTES> kem_seed = drawn<crypto_kem_mlkem768_SEEDBYTES>();
    Buffer<crypto_kem_mlkem768_PUBLICKEYBYTES> kem_public{};
    Buffer<crypto_kem_mlkem768_SECRETKEYBYTES> kem_secret{};
    Buffer<crypto_kem_mlkem768_CIPHERTEXTBYTES> ciphertext{};
    std::vector<Byte> text = std::vector<Byte>(largest_text);
    std::vector<Byte> sealed = std::vector<Byte>(largest_text);
    std::map<std::size_t, Buffer<64>> signatures;            // by the size of the message
    std::map<std::size_t, std::vector<Byte>> sealed_bodies;  // by the size of the plaintext
};

Bare::Bare() {
    if (sodium_init() < 0) throw std::runtime_error("libsodium could not be started");
    b_ = std::make_unique<Buffers>();
    auto& b = *b_;
    const auto other = drawn<32>();
    require(crypto_scalarmult_curve25519_base(b.peer.data(), other.data()));
    require(crypto_sign_ed25519_keypair(b.signer.data(), b.signing.data()));
    randombytes_buf(b.text.data(), b.text.size());
    require(crypto_aead_xchacha20poly1305_ietf_encrypt(b.sealed_header.data(), nullptr, b.header.data(),
                                                       b.header.size(), b.text.data(), 1, nullptr,
                                                       b.long_nonce.data(), b.key.data()));
    kem_key();
    encapsulate();
}

Bare::~Bare() = default;

void Bare::agree() {
    require(crypto_scalarmult_curve25519(b_->out32.data(), b_->secret.data(), b_->peer.data()));
}

void Bare::agreement_key() {
    randombytes_buf(b_->secret.data(), b_->secret.size());
    require(crypto_scalarmult_curve25519_base(b_->out32.data(), b_->secret.data()));
}

void Bare::verify(std::size_t size) {
    auto& b = *b_;
    auto found = b.signatures.find(size);
    if (found == b.signatures.end()) {
        found = b.signatures.emplace(size, Buffer<64>{}).first;
        require(crypto_sign_ed25519_detached(found->second.data(), nullptr, b.text.data(), size,
                                             b.signing.data()));
    }
    require(crypto_sign_ed25519_verify_detached(found->second.data(), b.text.data(), size, b.signer.data()));
}

void Bare::check_point() {
    require(crypto_core_ed25519_is_valid_point(b_->signer.data()) - 1);
}

void Bare::kem_key() {
    require(
        crypto_kem_mlkem768_seed_keypair(b_->kem_public.data(), b_->kem_secret.data(), b_->kem_seed.data()));
}

void Bare::encapsulate() {
    randombytes_buf(b_->out32.data(), b_->out32.size());
    require(crypto_kem_mlkem768_enc_deterministic(b_->ciphertext.data(), b_->out64.data(),
                                                  b_->kem_public.data(), b_->out32.data()));
}

void Bare::decapsulate() {
    require(crypto_kem_mlkem768_dec(b_->out32.data(), b_->ciphertext.data(), b_->kem_secret.data()));
}

void Bare::salt() {
    randombytes_buf(b_->salt.data(), b_->salt.size());
}

void Bare::hint() {
    require(
        crypto_shorthash_siphash24(b_->hint.data(), b_->salt.data(), b_->salt.size(), b_->short_key.data()));
}

void Bare::chain_step() {
    require(crypto_generichash_blake2b(b_->out64.data(), b_->out64.size(), b_->text.data(), step_label.size(),
                                       b_->key.data(), b_->key.size()));
}

void Bare::body_keys() {
    require(crypto_generichash_blake2b(b_->out64.data(), b_->out64.size(), b_->body_context.data(),
                                       b_->body_context.size(), b_->key.data(), b_->key.size()));
}

void Bare::header_hint_key() {
    require(crypto_generichash_blake2b(b_->out32.data(), b_->out32.size(), b_->text.data(), step_label.size(),
                                       b_->key.data(), b_->key.size()));
}

void Bare::root_step() {
    auto& b = *b_;
    require(
        crypto_kdf_hkdf_sha512_extract(b.out64.data(), b.key.data(), b.key.size(), b.agreements.data(), 64));
    require(crypto_kdf_hkdf_sha512_expand(b.out96.data(), b.out96.size(),
                                          reinterpret_cast<const char*>(b.info.data()), b.info.size(),
                                          b.out64.data()));
}

void Bare::handshake_kdf() {
    auto& b = *b_;
    require(crypto_kdf_hkdf_sha512_extract(b.out64.data(), b.key.data(), b.key.size(), b.agreements.data(),
                                           b.agreements.size()));
    require(crypto_kdf_hkdf_sha512_expand(b.out96.data(), b.out96.size(),
                                          reinterpret_cast<const char*>(b.info.data()), b.info.size(),
                                          b.out64.data()));
}

void Bare::hash(std::size_t size) {
    require(
        crypto_generichash_blake2b(b_->out32.data(), b_->out32.size(), b_->text.data(), size, nullptr, 0));
}

void Bare::seal_header() {
    require(crypto_aead_xchacha20poly1305_ietf_encrypt(b_->sealed.data(), nullptr, b_->header.data(),
                                                       b_->header.size(), b_->text.data(), 1, nullptr,
                                                       b_->long_nonce.data(), b_->key.data()));
}

void Bare::open_header() {
    require(crypto_aead_xchacha20poly1305_ietf_decrypt(
        b_->sealed.data(), nullptr, nullptr, b_->sealed_header.data(), b_->sealed_header.size(),
        b_->text.data(), 1, b_->long_nonce.data(), b_->key.data()));
}

void Bare::seal_body(std::size_t size) {
    require(crypto_aead_chacha20poly1305_ietf_encrypt(b_->sealed.data(), nullptr, b_->text.data(), size,
                                                      nullptr, 0, nullptr, b_->nonce.data(), b_->key.data()));
}

void Bare::open_body(std::size_t size) {
    auto& b = *b_;
    auto found = b.sealed_bodies.find(size);
    if (found == b.sealed_bodies.end()) {
        seal_body(size);
        const auto end =
            b.sealed.begin() + static_cast<std::ptrdiff_t>(size + crypto_aead_chacha20poly1305_ietf_ABYTES);
        found = b.sealed_bodies.emplace(size, std::vector<Byte>(b.sealed.begin(), end)).first;
    }
    require(crypto_aead_chacha20poly1305_ietf_decrypt(b.sealed.data(), nullptr, nullptr, found->second.data(),
                                                      found->second.size(), nullptr, 0, b.nonce.data(),
                                                      b.key.data()));
}

void Bare::compare_commitment() {
    require(sodium_memcmp(b_->key.data(), b_->key.data(), b_->key.size()));
}

void Bare::seal_message(std::size_t size) {
    chain_step();
    salt();
    hint();
    seal_header();
    body_keys();
    seal_body(size);
}

void Bare::open_message(std::size_t size) {
    hint();
    open_header();
    chain_step();
    body_keys();
    compare_commitment();
    open_body(size);
}

void Bare::turn() {
    agree();
    root_step();
    header_hint_key();
    agreement_key();
    agree();
    root_step();
    header_hint_key();
}

const char* sodium_version() {
    return sodium_version_string();
}

}  // namespace sotto::bench
