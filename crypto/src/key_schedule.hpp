// PQXDH's agreements, keys and transcript, the same for both sides. docs/protocol.md section 6, steps I3 to
// I6 and R2 to R4.
#pragma once

#include "handshake_part.hpp"

namespace sotto::crypto {

struct DhOutputTag;
using DhOutput = Secret<DhOutputTag, 32>;

/// What X25519 and ML-KEM gave; DH1 is known only after the initiator is.
struct Agreements {
    DhOutput dh1;
    DhOutput dh2;
    DhOutput dh3;
    std::optional<DhOutput> dh4;
    KemSharedSecret shared;
};

/// k1, which seals the initiator's identity; it needs no DH1.
[[nodiscard]] HandshakeKey identity_key_of(const Agreements& agreements, ByteView clear);

/// One side of a handshake as the transcript names it.
struct Party {
    const AccountRecord& record;
    const Device& device;
};

/// Everything that both sides must agree on.
struct Transcript {
    std::uint8_t version = 0;
    Party initiator;
    Party responder;
    EphemeralKey base_key;
    std::uint32_t signed_prekey_id = 0;
    SignedPrekeyPublic signed_prekey;
    std::optional<OneTimePrekey> one_time_prekey;
    KemPrekeyKind kem_kind = KemPrekeyKind::last_resort;
    std::uint32_t kem_prekey_id = 0;
    const KemPublicKey& kem_prekey;
    FixedView<kem_ciphertext_size> ciphertext;

    /// T, whose hash is the session's id.
    [[nodiscard]] Bytes encode() const;
    [[nodiscard]] SessionId session_id() const;
};

/// The highest protocol version in both lists that is spoken here; none: unsupported.
[[nodiscard]] Result<std::uint8_t> common_version(const Device& a, const Device& b);

struct RootsTag;
/// I6: RK ‖ CK_A ‖ HK_A ‖ NHK_A ‖ NHK_B, 32 bytes each.
using Roots = Secret<RootsTag, 160>;
[[nodiscard]] Roots derive_roots(const Agreements& agreements, const SessionId& id);

/// mac(mac(invite secret), session id).
[[nodiscard]] Array<32> invite_mac(const InviteSecret& secret, const SessionId& session);

}  // namespace sotto::crypto
