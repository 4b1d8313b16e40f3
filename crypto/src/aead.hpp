// The two AEADs, in place. docs/protocol.md section 2.
#pragma once

#include "sotto/crypto/bytes.hpp"

namespace sotto::crypto {

inline constexpr std::size_t tag_size = 16;
inline constexpr std::size_t xnonce_size = 24;  ///< of XChaCha20-Poly1305

/// ChaCha20-Poly1305 (RFC 8439). `data` is plaintext and room for the tag; it holds ciphertext and tag
/// afterwards.
void seal(FixedView<32> key, FixedView<12> nonce, ByteView associated, std::span<std::byte> data);
/// Into `out`, 16 bytes shorter than `sealed`. False if the tag is wrong; then `out` holds nothing of the
/// plaintext.
[[nodiscard]] bool open(FixedView<32> key, FixedView<12> nonce, ByteView associated, ByteView sealed,
                        std::span<std::byte> out);

/// With a zero nonce: for keys that are used once.
void seal_once(FixedView<32> key, ByteView associated, std::span<std::byte> data);
[[nodiscard]] bool open_once(FixedView<32> key, ByteView associated, ByteView sealed,
                             std::span<std::byte> out);

/// XChaCha20-Poly1305, same conventions.
void xseal(FixedView<32> key, FixedView<xnonce_size> nonce, ByteView associated, std::span<std::byte> data);
[[nodiscard]] bool xopen(FixedView<32> key, FixedView<xnonce_size> nonce, ByteView associated,
                         ByteView sealed, std::span<std::byte> out);

}  // namespace sotto::crypto
