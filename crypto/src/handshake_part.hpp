// The handshake part of an envelope and the identity sealed in it. docs/protocol.md section 6.
#pragma once

#include "sotto/crypto/session.hpp"

namespace sotto::crypto {

inline constexpr std::size_t handshake_clear_size =
    1 + 4 + 4 + 4 + 8 + encoded_key_size + encoded_kem_ciphertext_size;  ///< 1143: up to the KEM ciphertext
inline constexpr std::size_t identity_step = 512;  ///< identities are padded to multiples of it
inline constexpr std::size_t max_identity_size = 33 * identity_step;
inline constexpr std::size_t min_handshake_size = handshake_clear_size + 2 + identity_step + 16;
inline constexpr std::size_t max_handshake_size = handshake_clear_size + 2 + max_identity_size + 16;

struct HandshakeKeyTag;
using HandshakeKey = Secret<HandshakeKeyTag, 32>;  ///< k1

/// Views into a handshake part that parsed.
struct HandshakePart {
    HandshakeHeader header;
    EphemeralKey base_key;
    FixedView<kem_ciphertext_size> ciphertext;
    ByteView clear;       ///< the first 1143 bytes: what k1 binds
    ByteView associated;  ///< those and the length: what the sealed identity authenticates
    ByteView sealed_identity;
};

/// malformed or bad_key. Nothing in it is authenticated yet.
[[nodiscard]] Result<HandshakePart> parse_handshake_part(ByteView bytes);

/// The clear fields.
[[nodiscard]] Bytes encode_handshake_clear(const HandshakeHeader& header, const EphemeralKey& base_key,
                                           const KemCiphertext& ciphertext);
/// Appends length and sealed identity to the clear fields.
void append_identity(Bytes& part, const HandshakeKey& key, std::uint32_t device,
                     const std::optional<InviteProof>& invite, const AccountRecord& record);

struct Identity {
    std::uint32_t device = 0;
    std::optional<InviteProof> invite;
    AccountRecord record;
};
/// Steps R2 and R3 up to the record's own signature; cannot_open whatever is wrong.
[[nodiscard]] Result<Identity> open_identity(const HandshakePart& part, const HandshakeKey& key);

}  // namespace sotto::crypto
