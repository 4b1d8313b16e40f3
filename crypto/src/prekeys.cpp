#include "sotto/crypto/prekeys.hpp"

#include "labels.hpp"
#include "sotto/crypto/codec.hpp"

namespace sotto::crypto {
namespace {

constexpr std::uint32_t days_ahead_allowed = 2;  ///< clocks differ; more than that is not a clock

ByteView without_signature(ByteView encoded) {
    return encoded.first(encoded.size() - signature_size);
}

bool age_acceptable(std::uint32_t day, std::uint32_t today) {
    if (day > today) return day - today <= days_ahead_allowed;
    return today - day <= signed_prekey_refused_days;
}

Result<void> check_signed(const SignedPrekey& prekey, const PrekeyBundle& bundle, const Device& device,
                          std::uint32_t today) {
    if (prekey.device != device.id || prekey.id == 0) return std::unexpected(Error::mismatch);
    if (!prekey.verify(device.signing_key)) return std::unexpected(Error::bad_signature);
    const auto sequence = bundle.record.body().sequence;
    if (prekey.record_sequence > sequence || !age_acceptable(prekey.day, today))
        return std::unexpected(Error::stale);
    if (prekey.record_sequence == sequence && prekey.record_hash != bundle.record.hash())
        return std::unexpected(Error::mismatch);
    return {};
}

Result<void> check_kem(const KemPrekey& prekey, const Device& device, std::uint32_t today) {
    if (prekey.device != device.id || prekey.id == 0) return std::unexpected(Error::mismatch);
    if (!prekey.verify(device.signing_key)) return std::unexpected(Error::bad_signature);
    // A one-time key may lie in stock for as long as nobody asks for it; the last-resort key rotates.
    if (prekey.kind == KemPrekeyKind::last_resort && !age_acceptable(prekey.day, today))
        return std::unexpected(Error::stale);
    return {};
}

}  // namespace

// ---- signed prekey ----

SignedPrekey SignedPrekey::make(std::uint32_t id, const SignedPrekeyPair& key, std::uint32_t day,
                                const AccountRecord& record, std::uint32_t device,
                                const DeviceSigningKeyPair& signer) {
    SignedPrekey prekey{device, id, key.public_key(), day, record.body().sequence, record.hash(), {}};
    prekey.signature = signer.sign(labels::signed_prekey, without_signature(prekey.encode()));
    return prekey;
}

Result<SignedPrekey> SignedPrekey::decode(ByteView bytes) {
    if (bytes.size() != encoded_size) return std::unexpected(Error::malformed);
    Reader reader{bytes};
    const auto device = reader.u32();
    const auto id = reader.u32();
    const auto key = SignedPrekeyPublic::decode(reader.take(encoded_key_size));
    const auto day = reader.u32();
    const auto sequence = reader.u64();
    const auto record = reader.array<32>();
    const auto signature = reader.array<signature_size>();
    if (!key) return std::unexpected(key.error());
    if (device == 0 || id == 0 || sequence == 0) return std::unexpected(Error::malformed);
    return SignedPrekey{device, id, *key, day, sequence, record, signature};
}

Bytes SignedPrekey::encode() const {
    Bytes out;
    out.reserve(encoded_size);
    Writer writer{out};
    writer.u32(device);
    writer.u32(id);
    writer.raw(key.encode());
    writer.u32(day);
    writer.u64(record_sequence);
    writer.raw(record_hash);
    writer.raw(signature);
    return out;
}

bool SignedPrekey::verify(const DeviceSigningKey& signer) const {
    return signer.verify(labels::signed_prekey, without_signature(encode()), signature);
}

// ---- KEM prekey ----

KemPrekey KemPrekey::make(KemPrekeyKind kind, std::uint32_t id, const KemKeyPair& key, std::uint32_t day,
                          std::uint32_t device, const DeviceSigningKeyPair& signer) {
    KemPrekey prekey{kind, device, id, key.public_key(), day, {}};
    prekey.signature = signer.sign(labels::kem_prekey, without_signature(prekey.encode()));
    return prekey;
}

Result<KemPrekey> KemPrekey::decode(ByteView bytes) {
    if (bytes.size() != encoded_size) return std::unexpected(Error::malformed);
    Reader reader{bytes};
    const auto kind = reader.u8();
    const auto device = reader.u32();
    const auto id = reader.u32();
    const auto key = KemPublicKey::decode(reader.take(encoded_kem_key_size));
    const auto day = reader.u32();
    const auto signature = reader.array<signature_size>();
    if (!key) return std::unexpected(key.error());
    if (kind > 1 || device == 0 || id == 0) return std::unexpected(Error::malformed);
    return KemPrekey{static_cast<KemPrekeyKind>(kind), device, id, *key, day, signature};
}

Bytes KemPrekey::encode() const {
    Bytes out;
    out.reserve(encoded_size);
    Writer writer{out};
    writer.u8(static_cast<std::uint8_t>(kind));
    writer.u32(device);
    writer.u32(id);
    writer.raw(key.encode());
    writer.u32(day);
    writer.raw(signature);
    return out;
}

bool KemPrekey::verify(const DeviceSigningKey& signer) const {
    return signer.verify(labels::kem_prekey, without_signature(encode()), signature);
}

// ---- one-time prekey ----

Result<OneTimePrekey> OneTimePrekey::decode(ByteView bytes) {
    if (bytes.size() != encoded_size) return std::unexpected(Error::malformed);
    Reader reader{bytes};
    const auto id = reader.u32();
    const auto key = OneTimePrekeyPublic::decode(reader.remaining());
    if (!key) return std::unexpected(key.error());
    if (id == 0) return std::unexpected(Error::malformed);
    return OneTimePrekey{id, *key};
}

Bytes OneTimePrekey::encode() const {
    Bytes out;
    out.reserve(encoded_size);
    Writer writer{out};
    writer.u32(id);
    writer.raw(key.encode());
    return out;
}

Result<void> PrekeyBundle::check(std::uint32_t today) const {
    const auto* const known = record.device(device);
    if (known == nullptr) return std::unexpected(Error::mismatch);
    if (const auto ok = check_signed(signed_prekey, *this, *known, today); !ok) return ok;
    if (const auto ok = check_kem(kem_prekey, *known, today); !ok) return ok;
    if (one_time_prekey && one_time_prekey->id == 0) return std::unexpected(Error::mismatch);
    return {};
}

}  // namespace sotto::crypto
