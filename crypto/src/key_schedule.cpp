#include "key_schedule.hpp"

#include "labels.hpp"
#include "sotto/crypto/codec.hpp"

namespace sotto::crypto {
namespace {

constexpr Array<32> zero_salt{};

/// F: keeps the input apart from that of an Ed25519 or X25519 key in any other use (X3DH).
constexpr Array<32> domain_separator = [] {
    Array<32> out{};
    out.fill(std::byte{0xff});
    return out;
}();

ByteView optional_view(const std::optional<DhOutput>& output) {
    return output ? ByteView{output->expose()} : ByteView{};
}

void write_address(Writer& writer, const Party& party) {
    const auto text = party.record.body().address.text();
    writer.u16(static_cast<std::uint16_t>(text.size()));
    writer.raw(bytes_of(text));
    writer.u32(party.device.id);
}

}  // namespace

HandshakeKey identity_key_of(const Agreements& a, ByteView clear) {
    HandshakeKey key;
    hkdf(zero_salt,
         {domain_separator, a.dh2.expose(), a.dh3.expose(), optional_view(a.dh4), a.shared.expose()},
         labels::handshake_identity, {hash(labels::handshake_part, {clear})}, key.writable());
    return key;
}

Roots derive_roots(const Agreements& a, const SessionId& id) {
    Roots roots;
    hkdf(zero_salt,
         {domain_separator, a.dh1.expose(), a.dh2.expose(), a.dh3.expose(), optional_view(a.dh4),
          a.shared.expose()},
         labels::root, {id}, roots.writable());
    return roots;
}

Bytes Transcript::encode() const {
    Bytes out;
    Writer writer{out};
    writer.u8(version);
    write_address(writer, initiator);
    write_address(writer, responder);
    writer.raw(initiator.record.hash());
    writer.raw(responder.record.hash());
    writer.raw(initiator.record.body().account_key.encode());
    writer.raw(responder.record.body().account_key.encode());
    writer.raw(initiator.device.signing_key.encode());
    writer.raw(responder.device.signing_key.encode());
    writer.raw(initiator.device.identity_key.encode());
    writer.raw(responder.device.identity_key.encode());
    writer.raw(base_key.encode());
    writer.u32(signed_prekey_id);
    writer.raw(signed_prekey.encode());
    writer.u8(one_time_prekey ? 1 : 0);
    if (one_time_prekey) writer.raw(one_time_prekey->encode());
    writer.u8(static_cast<std::uint8_t>(kem_kind));
    writer.u32(kem_prekey_id);
    writer.raw(kem_prekey.encode());
    writer.u8(static_cast<std::uint8_t>(KeyType::mlkem768_ciphertext));
    writer.raw(ciphertext);
    return out;
}

SessionId Transcript::session_id() const {
    return hash(labels::session_id, {encode()});
}

Result<std::uint8_t> common_version(const Device& a, const Device& b) {
    for (auto version = protocol_version; version > 0; --version) {
        if (std::ranges::binary_search(a.versions, version) &&
            std::ranges::binary_search(b.versions, version))
            return version;
    }
    return std::unexpected(Error::unsupported);
}

Array<32> invite_mac(const InviteSecret& secret, const SessionId& session) {
    struct InviteMacKeyTag;
    Secret<InviteMacKeyTag, 32> key;
    mac(secret.expose(), labels::invite_mac_key, {}, key.writable());
    return mac(key.expose(), labels::invite_mac, {session});
}

}  // namespace sotto::crypto
