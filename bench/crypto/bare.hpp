// The calls of libsodium that Sotto's jobs are made of, on buffers of their own and without anything around
// them: what a job can't cost less than.
#pragma once

#include <cstddef>
#include <memory>

namespace sotto::bench {

inline constexpr std::size_t content_size = 256;
/// Plaintext of the body when such a content is alone in its envelope of 480 bytes: frame and padding
/// included.
inline constexpr std::size_t body_size = 346;
inline constexpr std::size_t epoch_body_size = 1466;  ///< in an envelope of 1,600 bytes, with a KEM key
inline constexpr std::size_t chunk_size = 64 * 1024;

class Bare {
  public:
    Bare();
    Bare(const Bare&) = delete;
    Bare& operator=(const Bare&) = delete;
    Bare(Bare&&) = delete;
    Bare& operator=(Bare&&) = delete;
    ~Bare();

    void agree();                      ///< crypto_scalarmult_curve25519
    void agreement_key();              ///< crypto_scalarmult_curve25519_base, of a fresh secret
    void verify(std::size_t size);     ///< crypto_sign_ed25519_verify_detached of a message so long
    void check_point();                ///< crypto_core_ed25519_is_valid_point
    void kem_key();                    ///< crypto_kem_mlkem768_seed_keypair
    void encapsulate();                ///< crypto_kem_mlkem768_enc_deterministic, of fresh randomness
    void decapsulate();                ///< crypto_kem_mlkem768_dec
    void salt();                       ///< randombytes_buf of 16 bytes
    void hint();                       ///< crypto_shorthash_siphash24 of a salt
    void chain_step();                 ///< crypto_generichash_blake2b, keyed, 64 bytes out
    void body_keys();                  ///< the same over salt, session id and header
    void header_hint_key();            ///< the same, 32 bytes out
    void root_step();                  ///< crypto_kdf_hkdf_sha512, 64 bytes in, 96 out
    void handshake_kdf();              ///< the same of all agreements
    void hash(std::size_t size);       ///< crypto_generichash_blake2b without a key, 32 bytes out
    void seal_header();                ///< crypto_aead_xchacha20poly1305_ietf_encrypt, 45 bytes
    void open_header();                ///< its counterpart
    void seal_body(std::size_t size);  ///< crypto_aead_chacha20poly1305_ietf_encrypt
    void open_body(std::size_t size);  ///< its counterpart; `size` is that of the plaintext
    void compare_commitment();         ///< sodium_memcmp, 32 bytes

    void seal_message(std::size_t size = body_size);  ///< all calls of a message within a chain
    void open_message(std::size_t size = body_size);
    void turn();  ///< both root steps and the new key of whoever received the first message of a chain

  private:
    struct Buffers;
    std::unique_ptr<Buffers> b_;
};

/// libsodium's version, as it says itself.
[[nodiscard]] const char* sodium_version();

}  // namespace sotto::bench
