#include "handshake_part.hpp"

#include "aead.hpp"
#include "labels.hpp"
#include "sotto/crypto/codec.hpp"

namespace sotto::crypto {
namespace {

constexpr std::uint8_t flag_one_time = 0x01;
constexpr std::uint8_t flag_kem_one_time = 0x02;
constexpr std::byte ciphertext_type{static_cast<std::uint8_t>(KeyType::mlkem768_ciphertext)};

Array<32> replay_id(const HandshakeHeader& header, const EphemeralKey& base_key) {
    Bytes out;
    Writer writer{out};
    writer.u32(header.signed_prekey);
    writer.u32(header.one_time_prekey.value_or(0));
    writer.u8(static_cast<std::uint8_t>(header.kem_kind));
    writer.u32(header.kem_prekey);
    writer.raw(base_key.encode());
    return hash(labels::handshake_replay, {out});
}

bool identity_size_valid(std::size_t sealed) {
    return sealed > tag_size && sealed - tag_size <= max_identity_size &&
           (sealed - tag_size) % identity_step == 0;
}

}  // namespace

Result<HandshakePart> parse_handshake_part(ByteView bytes) {
    Reader reader{bytes};
    const auto flags = reader.u8();
    const auto signed_prekey = reader.u32();
    const auto one_time = reader.u32();
    const auto kem_prekey = reader.u32();
    const auto sequence = reader.u64();
    const auto encoded_base = reader.take(encoded_key_size);
    const auto encoded_ciphertext = reader.take(encoded_kem_ciphertext_size);
    const auto sealed = reader.take(reader.u16());
    const bool with_one_time = (flags & flag_one_time) != 0;
    if (!reader.finish() || (flags & ~(flag_one_time | flag_kem_one_time)) != 0 || signed_prekey == 0 ||
        kem_prekey == 0 || (one_time != 0) != with_one_time || sequence == 0 ||
        !identity_size_valid(sealed.size()))
        return std::unexpected(Error::malformed);
    const auto base_key = EphemeralKey::decode(encoded_base);
    if (!base_key || encoded_ciphertext[0] != ciphertext_type) return std::unexpected(Error::bad_key);

    HandshakeHeader header;
    header.signed_prekey = signed_prekey;
    if (with_one_time) header.one_time_prekey = one_time;
    header.kem_kind = (flags & flag_kem_one_time) != 0 ? KemPrekeyKind::one_time : KemPrekeyKind::last_resort;
    header.kem_prekey = kem_prekey;
    header.record_sequence = sequence;
    copy_bytes(base_key->raw(), header.base_key);
    header.replay_id = replay_id(header, *base_key);
    return HandshakePart{header,
                         *base_key,
                         FixedView<kem_ciphertext_size>{encoded_ciphertext.subspan(1)},
                         bytes.first(handshake_clear_size),
                         bytes.first(handshake_clear_size + 2),
                         sealed};
}

Bytes encode_handshake_clear(const HandshakeHeader& header, const EphemeralKey& base_key,
                             const KemCiphertext& ciphertext) {
    Bytes out;
    out.reserve(min_handshake_size);
    Writer writer{out};
    writer.u8(
        static_cast<std::uint8_t>((header.one_time_prekey ? flag_one_time : 0U) |
                                  (header.kem_kind == KemPrekeyKind::one_time ? flag_kem_one_time : 0U)));
    writer.u32(header.signed_prekey);
    writer.u32(header.one_time_prekey.value_or(0));
    writer.u32(header.kem_prekey);
    writer.u64(header.record_sequence);
    writer.raw(base_key.encode());
    writer.u8(std::to_integer<std::uint8_t>(ciphertext_type));
    writer.raw(ciphertext);
    return out;
}

void append_identity(Bytes& part, const HandshakeKey& key, std::uint32_t device,
                     const std::optional<InviteProof>& invite, const AccountRecord& record) {
    SecretBytes identity;
    SecretWriter writer{identity};
    writer.u32(device);
    writer.u8(invite ? 1 : 0);
    if (invite) {
        writer.raw(invite->id);
        writer.raw(invite->mac);
    }
    writer.u16(static_cast<std::uint16_t>(record.bytes().size()));
    writer.raw(record.bytes());
    identity.resize((identity.size() + identity_step - 1) / identity_step * identity_step);
    identity.resize(identity.size() + tag_size);

    Writer{part}.u16(static_cast<std::uint16_t>(identity.size()));
    seal_once(key.expose(), part, identity);
    Writer{part}.raw(identity);
}

Result<Identity> open_identity(const HandshakePart& part, const HandshakeKey& key) {
    SecretBytes plain(part.sealed_identity.size() - tag_size);
    if (!open_once(key.expose(), part.associated, part.sealed_identity, plain))
        return std::unexpected(Error::cannot_open);
    Reader reader{plain};
    const auto device = reader.u32();
    const auto with_invite = reader.u8();
    std::optional<InviteProof> invite;
    if (with_invite == 1) {
        invite.emplace();
        invite->id = reader.array<16>();
        invite->mac = reader.array<32>();
    }
    const auto bytes = reader.take(reader.u16());
    if (!reader.ok() || with_invite > 1 || reader.remaining().size() >= identity_step ||
        !all_zero(reader.remaining()))
        return std::unexpected(Error::cannot_open);
    auto record = AccountRecord::parse(bytes);
    if (!record) return std::unexpected(Error::cannot_open);
    return Identity{device, invite, std::move(*record)};
}

}  // namespace sotto::crypto
