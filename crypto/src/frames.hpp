// What is inside an envelope's body: frames and padding. docs/protocol.md section 8.
#pragma once

#include <optional>

#include "sotto/crypto/keys.hpp"

namespace sotto::crypto {

inline constexpr std::size_t frame_head_size = 5;  ///< u8 type, u32 length
inline constexpr std::uint8_t frame_padding = 0x00;
inline constexpr std::uint8_t frame_content = 0x01;
inline constexpr std::uint8_t frame_kem_key = 0x02;
inline constexpr std::uint8_t frame_kem_ciphertext = 0x03;
inline constexpr std::uint8_t first_critical_frame = 0x80;

using KemKeyId = Array<16>;  ///< first 16 bytes of hash(Sotto/1/epoch-key, encoded key)
inline constexpr std::size_t kem_key_frame_size = 4 + encoded_kem_key_size;                     ///< 1189
inline constexpr std::size_t kem_ciphertext_frame_size = 4 + 16 + encoded_kem_ciphertext_size;  ///< 1109

/// Frame 02: `u32 epoch ‖ [1185] key (03)`.
struct KemKeyFrame {
    std::uint32_t epoch = 0;
    KemPublicKey key;
};

/// Frame 03: `u32 epoch ‖ [16] id of the key ‖ [1089] ciphertext (04)`. A view into what was parsed.
struct KemCiphertextFrame {
    std::uint32_t epoch;
    FixedView<16> key_id;
    FixedView<kem_ciphertext_size> ciphertext;
};

/// Views into the body.
struct Frames {
    ByteView content;
    std::optional<KemKeyFrame> kem_key;
    std::optional<KemCiphertextFrame> kem_ciphertext;
};

/// Writes one frame to the front of `body`; returns what is behind it.
std::span<std::byte> write_frame(std::uint8_t type, ByteView value, std::span<std::byte> body);

/// malformed for a second frame of a known type, no content, an unknown critical frame, a wrong length or
/// key, epoch 0, or padding that isn't zero.
[[nodiscard]] Result<Frames> read_frames(ByteView body);

/// The values of the two KEM frames.
[[nodiscard]] KemKeyId kem_key_id(const KemPublicKey& key);
[[nodiscard]] Bytes encode_kem_key(std::uint32_t epoch, const KemPublicKey& key);
[[nodiscard]] Bytes encode_kem_ciphertext(std::uint32_t epoch, const KemKeyId& key_id,
                                          const KemCiphertext& ciphertext);
/// malformed for another length, epoch 0 or a wrong type byte.
[[nodiscard]] Result<KemCiphertextFrame> parse_kem_ciphertext(ByteView value);

}  // namespace sotto::crypto
