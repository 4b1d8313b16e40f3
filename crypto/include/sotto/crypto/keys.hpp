// One type per key role. Encoded public keys start with a type byte, so that no kind can parse as another.
#pragma once

#include <algorithm>
#include <optional>

#include "sotto/crypto/bytes.hpp"
#include "sotto/crypto/error.hpp"
#include "sotto/crypto/hash.hpp"
#include "sotto/crypto/random.hpp"
#include "sotto/crypto/secret.hpp"

namespace sotto::crypto {

enum class KeyType : std::uint8_t {
    ed25519 = 0x01,
    x25519 = 0x02,
    mlkem768 = 0x03,
    mlkem768_ciphertext = 0x04
};

inline constexpr std::size_t encoded_key_size = 33;       ///< type byte and 32 bytes
inline constexpr std::size_t kem_public_key_size = 1184;  ///< FIPS 203, ML-KEM-768 encapsulation key
inline constexpr std::size_t kem_ciphertext_size = 1088;  ///< FIPS 203, ML-KEM-768 ciphertext
inline constexpr std::size_t encoded_kem_key_size = 1 + kem_public_key_size;
inline constexpr std::size_t encoded_kem_ciphertext_size = 1 + kem_ciphertext_size;
inline constexpr std::size_t signature_size = 64;  ///< RFC 8032

using Signature = Array<signature_size>;

// ---- Ed25519 (RFC 8032) ----

namespace detail {
/// Canonical, on the curve, in the main subgroup, not of low order.
[[nodiscard]] bool valid_ed25519(FixedView<32> key);
/// Below 2^255-19, high bit clear, not of low order.
[[nodiscard]] bool valid_x25519(FixedView<32> key);
[[nodiscard]] bool verify(FixedView<32> key, Label label, ByteView message, FixedView<64> signature);
void ed25519_public(FixedView<32> seed, std::span<std::byte, 32> out);
[[nodiscard]] Signature ed25519_sign(FixedView<32> seed, FixedView<32> public_key, Label label,
                                     ByteView message);
void x25519_public(FixedView<32> secret, std::span<std::byte, 32> out);
[[nodiscard]] bool x25519(FixedView<32> secret, FixedView<32> public_key, std::span<std::byte, 32> out);
}  // namespace detail

/// 32 raw bytes that were checked on the way in; `Type` is the first byte of the encoding.
template <class Role, KeyType Type>
class PublicKey32 {
  public:
    /// From type byte and 32 bytes; bad_key if the type, the length or the key itself is refused.
    [[nodiscard]] static Result<PublicKey32> decode(ByteView encoded) {
        if (!well_encoded(encoded)) return std::unexpected(Error::bad_key);
        return from_raw(FixedView<32>{encoded.subspan(1)});
    }
    /// The same for a key that decode() took once and that was kept since where nobody alters it unseen: the
    /// key itself, which is what costs time, is not checked again.
    [[nodiscard]] static Result<PublicKey32> decode_kept(ByteView encoded) {
        if (!well_encoded(encoded)) return std::unexpected(Error::bad_key);
        return PublicKey32{FixedView<32>{encoded.subspan(1)}};
    }
    [[nodiscard]] static Result<PublicKey32> from_raw(FixedView<32> raw) {
        const bool valid = Type == KeyType::ed25519 ? detail::valid_ed25519(raw) : detail::valid_x25519(raw);
        if (!valid) return std::unexpected(Error::bad_key);
        return PublicKey32{raw};
    }
    [[nodiscard]] Array<encoded_key_size> encode() const {
        Array<encoded_key_size> out;
        out[0] = std::byte{static_cast<std::uint8_t>(Type)};
        std::copy(raw_.begin(), raw_.end(), out.begin() + 1);
        return out;
    }
    [[nodiscard]] FixedView<32> raw() const { return FixedView<32>{raw_}; }
    bool operator==(const PublicKey32&) const = default;

    /// Ed25519 keys only: the signature over label ‖ 0 ‖ message.
    [[nodiscard]] bool verify(Label label, ByteView message, FixedView<64> signature) const
        requires(Type == KeyType::ed25519)
    {
        return detail::verify(raw(), label, message, signature);
    }

  private:
    template <class, KeyType>
    friend class KeyPair32;
    [[nodiscard]] static bool well_encoded(ByteView encoded) {
        return encoded.size() == encoded_key_size && encoded[0] == std::byte{static_cast<std::uint8_t>(Type)};
    }
    explicit PublicKey32(FixedView<32> raw) { std::copy(raw.begin(), raw.end(), raw_.begin()); }
    Array<32> raw_{};
};

/// A 32-byte seed (Ed25519) or scalar (X25519) with its public key.
template <class Role, KeyType Type>
class KeyPair32 {
  public:
    using Public = PublicKey32<Role, Type>;
    struct SeedTag;
    using Seed = Secret<KeyPair32, 32>;

    [[nodiscard]] static KeyPair32 generate(Rng& rng) { return KeyPair32{rng.secret<Seed>()}; }
    explicit KeyPair32(Seed seed) : seed_(std::move(seed)), public_(derive(seed_)) {}
    [[nodiscard]] const Public& public_key() const { return public_; }
    [[nodiscard]] const Seed& seed() const { return seed_; }
    [[nodiscard]] KeyPair32 clone() const { return KeyPair32{seed_.clone(), public_}; }

    /// Ed25519 only: signs label ‖ 0 ‖ message.
    [[nodiscard]] Signature sign(Label label, ByteView message) const
        requires(Type == KeyType::ed25519)
    {
        return detail::ed25519_sign(seed_.expose(), public_.raw(), label, message);
    }
    /// X25519 only (RFC 7748): false if the shared secret is all zero, which must be treated as an attack.
    template <class OtherRole>
    [[nodiscard]] bool agree(const PublicKey32<OtherRole, Type>& other, std::span<std::byte, 32> out) const
        requires(Type == KeyType::x25519)
    {
        return detail::x25519(seed_.expose(), other.raw(), out);
    }

  private:
    KeyPair32(Seed seed, Public pub) : seed_(std::move(seed)), public_(pub) {}
    static Public derive(const Seed& seed) {
        Array<32> raw;
        if constexpr (Type == KeyType::ed25519)
            detail::ed25519_public(seed.expose(), raw);
        else
            detail::x25519_public(seed.expose(), raw);
        return Public{FixedView<32>{raw}};
    }
    Seed seed_;
    Public public_;
};

struct AccountRole;
struct DeviceSigningRole;
struct IdentityRole;
struct SignedPrekeyRole;
struct OneTimePrekeyRole;
struct EphemeralRole;
struct RatchetRole;

using AccountKey = PublicKey32<AccountRole, KeyType::ed25519>;
using AccountKeyPair = KeyPair32<AccountRole, KeyType::ed25519>;
using DeviceSigningKey = PublicKey32<DeviceSigningRole, KeyType::ed25519>;
using DeviceSigningKeyPair = KeyPair32<DeviceSigningRole, KeyType::ed25519>;
using IdentityKey = PublicKey32<IdentityRole, KeyType::x25519>;
using IdentityKeyPair = KeyPair32<IdentityRole, KeyType::x25519>;
using SignedPrekeyPublic = PublicKey32<SignedPrekeyRole, KeyType::x25519>;
using SignedPrekeyPair = KeyPair32<SignedPrekeyRole, KeyType::x25519>;
using OneTimePrekeyPublic = PublicKey32<OneTimePrekeyRole, KeyType::x25519>;
using OneTimePrekeyPair = KeyPair32<OneTimePrekeyRole, KeyType::x25519>;
using EphemeralKey = PublicKey32<EphemeralRole, KeyType::x25519>;
using EphemeralKeyPair = KeyPair32<EphemeralRole, KeyType::x25519>;
using RatchetKey = PublicKey32<RatchetRole, KeyType::x25519>;
using RatchetKeyPair = KeyPair32<RatchetRole, KeyType::x25519>;

// ---- ML-KEM-768 (FIPS 203) ----

struct KemSharedTag;
struct KemSeedTag;
using KemSharedSecret = Secret<KemSharedTag, 32>;
using KemSeed = Secret<KemSeedTag, 64>;  ///< d ‖ z
using KemCiphertext = Array<kem_ciphertext_size>;

class KemPublicKey {
  public:
    /// From the type byte and 1,184 bytes. The modulus check of FIPS 203 section 7.2 is done here.
    [[nodiscard]] static Result<KemPublicKey> decode(ByteView encoded);
    [[nodiscard]] Array<encoded_kem_key_size> encode() const;
    struct Encapsulated {
        KemCiphertext ciphertext;
        KemSharedSecret shared;
    };
    [[nodiscard]] Result<Encapsulated> encapsulate(Rng& rng) const;
    bool operator==(const KemPublicKey&) const = default;

  private:
    friend class KemKeyPair;
    friend class KemDecapsulationKey;
    KemPublicKey() = default;
    Array<kem_public_key_size> raw_{};
};

/// Expanded from a seed (FIPS 203, section 7.1), which costs as much as making a key: to be held only while
/// it is used.
class KemDecapsulationKey {
  public:
    explicit KemDecapsulationKey(const KemSeed& seed);
    [[nodiscard]] const KemPublicKey& public_key() const { return public_; }
    [[nodiscard]] Result<KemSharedSecret> decapsulate(FixedView<kem_ciphertext_size> ciphertext) const;

  private:
    struct ExpandedTag;
    Secret<ExpandedTag, 2400> expanded_;
    KemPublicKey public_;
};

/// Kept as its 64-byte seed; the expanded key lives only while it is used.
class KemKeyPair {
  public:
    [[nodiscard]] static KemKeyPair generate(Rng& rng);
    explicit KemKeyPair(KemSeed seed);
    [[nodiscard]] const KemPublicKey& public_key() const { return public_; }
    [[nodiscard]] const KemSeed& seed() const { return seed_; }
    [[nodiscard]] Result<KemSharedSecret> decapsulate(FixedView<kem_ciphertext_size> ciphertext) const;

  private:
    KemSeed seed_;
    KemPublicKey public_;
};

}  // namespace sotto::crypto
