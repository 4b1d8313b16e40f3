// Prekeys as they are published and fetched. docs/protocol.md section 5.
#pragma once

#include <optional>

#include "sotto/crypto/record.hpp"

namespace sotto::crypto {

inline constexpr std::size_t prekey_batch = 100;
inline constexpr std::size_t prekey_refill_below = 20;
inline constexpr std::uint32_t prekey_rotation_days = 2;
inline constexpr std::uint32_t signed_prekey_old_days = 14;  ///< older marks the session as begun on old keys
inline constexpr std::uint32_t signed_prekey_refused_days = 60;  ///< older is refused
inline constexpr std::uint32_t prekey_secret_kept_days = 30;     ///< after its replacement

/// X25519, signed by the device: covers its day and the record's sequence and hash.
struct SignedPrekey {
    std::uint32_t device = 0;
    std::uint32_t id = 0;
    SignedPrekeyPublic key;
    std::uint32_t day = 0;
    std::uint64_t record_sequence = 0;
    RecordHash record_hash{};
    Signature signature{};

    static constexpr std::size_t encoded_size = 4 + 4 + encoded_key_size + 4 + 8 + 32 + signature_size;
    [[nodiscard]] static SignedPrekey make(std::uint32_t id, const SignedPrekeyPair& key, std::uint32_t day,
                                           const AccountRecord& record, std::uint32_t device,
                                           const DeviceSigningKeyPair& signer);
    /// Parses only; `verify` needs the device's signing key.
    [[nodiscard]] static Result<SignedPrekey> decode(ByteView bytes);
    [[nodiscard]] Bytes encode() const;
    [[nodiscard]] bool verify(const DeviceSigningKey& signer) const;
    bool operator==(const SignedPrekey&) const = default;
};

enum class KemPrekeyKind : std::uint8_t { last_resort = 0, one_time = 1 };

/// ML-KEM-768, one-time or last-resort, always signed by the device.
struct KemPrekey {
    KemPrekeyKind kind = KemPrekeyKind::last_resort;
    std::uint32_t device = 0;
    std::uint32_t id = 0;
    KemPublicKey key;
    std::uint32_t day = 0;
    Signature signature{};

    static constexpr std::size_t encoded_size = 1 + 4 + 4 + encoded_kem_key_size + 4 + signature_size;
    [[nodiscard]] static KemPrekey make(KemPrekeyKind kind, std::uint32_t id, const KemKeyPair& key,
                                        std::uint32_t day, std::uint32_t device,
                                        const DeviceSigningKeyPair& signer);
    [[nodiscard]] static Result<KemPrekey> decode(ByteView bytes);
    [[nodiscard]] Bytes encode() const;
    [[nodiscard]] bool verify(const DeviceSigningKey& signer) const;
    bool operator==(const KemPrekey&) const = default;
};

/// X25519, used once, not signed.
struct OneTimePrekey {
    std::uint32_t id = 0;
    OneTimePrekeyPublic key;

    static constexpr std::size_t encoded_size = 4 + encoded_key_size;
    [[nodiscard]] static Result<OneTimePrekey> decode(ByteView bytes);
    [[nodiscard]] Bytes encode() const;
    bool operator==(const OneTimePrekey&) const = default;
};

/// What an initiator gets for one device of a peer.
struct PrekeyBundle {
    AccountRecord record;
    std::uint32_t device = 0;
    SignedPrekey signed_prekey;
    KemPrekey kem_prekey;
    std::optional<OneTimePrekey> one_time_prekey;

    /// Every signature, every id, the signed prekey's age and its record: bad_signature, mismatch or stale
    /// otherwise. A signed prekey made under an older record of the same account is accepted; `today` in days
    /// since 1970.
    [[nodiscard]] Result<void> check(std::uint32_t today) const;
};

}  // namespace sotto::crypto
