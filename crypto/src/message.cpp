#include "message.hpp"

#include <cstring>

#include "labels.hpp"
#include "ratchet.hpp"
#include "sodium.hpp"
#include "sotto/crypto/codec.hpp"

namespace sotto::crypto {
namespace {

struct HeaderPlainTag;
using HeaderPlain = Secret<HeaderPlainTag, header_plain_size>;

void put_u32(std::span<std::byte, 4> out, std::uint32_t value) {
    for (unsigned i = 0; i < 4; ++i) out[i] = static_cast<std::byte>(value >> (24 - 8 * i));
}

using Hint = Array<8>;

Hint hint_for(const HeaderKey& key, FixedView<salt_size> salt) {
    static_assert(crypto_shorthash_siphash24_KEYBYTES == 16 && crypto_shorthash_siphash24_BYTES == 8);
    Hint out;
    crypto_shorthash_siphash24(uc(out.data()), uc(salt.data()), salt.size(), uc(key.hint_key.data()));
    return out;
}

/// Writes salt, hint and encrypted header.
void write_header(const Session::State& state, std::uint32_t n, ByteView prefix, std::span<std::byte> out,
                  Rng& rng) {
    const auto salt = out.first<salt_size>();
    rng.fill(salt);
    copy_bytes(hint_for(state.sending.header, salt), out.subspan<salt_size, 8>());
    const auto header = out.subspan<xnonce_size, header_size>();
    header[0] = std::byte{static_cast<std::uint8_t>(KeyType::x25519)};
    copy_bytes(state.own_public, header.subspan<1, 32>());
    put_u32(header.subspan<33, 4>(), state.sending.previous);
    put_u32(header.subspan<37, 4>(), n);
    put_u32(header.subspan<41, 4>(), state.epoch);
    xseal(state.sending.header.key.view(), out.first<xnonce_size>(), prefix, header);
}

}  // namespace

BodyKeys::BodyKeys(const MessageKey& key, FixedView<salt_size> salt, const SessionId& id,
                   FixedView<header_size> header) {
    mac64(key.expose(), labels::message, {salt, id, header}, both_.writable());
}

/// One comparison of whole words: as constant in time as a call would be, and this runs for every header key
/// of every session.
bool hinted(const HeaderKey& key, const Envelope& envelope) {
    const auto ours = hint_for(key, envelope.salt());
    std::uint64_t x = 0;
    std::uint64_t y = 0;
    std::memcpy(&x, ours.data(), sizeof x);
    std::memcpy(&y, envelope.hint().data(), sizeof y);
    return x == y;
}

std::optional<Match> open_header(const HeaderKey& key, const Envelope& envelope) {
    Array<xnonce_size> nonce;
    copy_bytes(envelope.salt(), nonce);
    copy_bytes(envelope.hint(), std::span{nonce}.subspan<salt_size>());
    HeaderPlain plain;
    if (!xopen(key.key.view(), nonce, envelope.prefix(), envelope.header(), plain.writable()))
        return std::nullopt;
    Reader reader{plain.expose()};
    const auto ratchet_key = RatchetKey::decode(reader.take(encoded_key_size));
    Match match;
    match.previous = reader.u32();
    match.n = reader.u32();
    match.epoch = reader.u32();
    if (!ratchet_key || match.n > last_message_number) return std::nullopt;
    copy_bytes(ratchet_key->raw(), match.ratchet_key);
    return match;
}

void seal_message(const Session::State& state, const MessageKey& key, std::uint32_t n, ByteView prefix,
                  std::span<std::byte> message, Rng& rng) {
    write_header(state, n, prefix, message, rng);
    const auto header = message.subspan<xnonce_size, header_size>();
    const BodyKeys keys{key, message.first<salt_size>(), state.id, header};
    copy_bytes(keys.commitment(), message.subspan<xnonce_size + header_size, commitment_size>());
    seal_once(keys.encryption(), {}, message.subspan(body_offset));
}

SecretBytes Body::content() && {
    copy_bytes(frames.content, plain);
    plain.resize(frames.content.size());
    return std::move(plain);
}

Result<Body> open_body(const MessageKey& key, const SessionId& id, const Envelope& envelope) {
    const BodyKeys keys{key, envelope.salt(), id, envelope.header()};
    if (!equal_constant_time(keys.commitment(), envelope.commitment()))
        return std::unexpected(Error::cannot_open);
    const auto body = envelope.body();
    SecretBytes plain(body.size() - tag_size);
    if (!open_once(keys.encryption(), {}, body, plain)) return std::unexpected(Error::cannot_open);
    const auto frames = read_frames(plain);
    if (!frames) return std::unexpected(Error::cannot_open);
    return Body{std::move(plain), *frames};
}

}  // namespace sotto::crypto
