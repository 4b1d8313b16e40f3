// What a malicious peer could do: rewrite an envelope's header under the session's own header key, or a
// counter in a stored session. Offsets are those of docs/protocol.md 7.6 and 8.
#pragma once

#include <algorithm>

#include "message.hpp"
#include "people.hpp"
#include "ratchet.hpp"

namespace sotto::crypto::test {

namespace offset {
inline constexpr std::size_t id = 2;
inline constexpr std::size_t epoch = 34;
inline constexpr std::size_t own_secret = 70;
inline constexpr std::size_t own_public = 102;
inline constexpr std::size_t peer_public = 135;
inline constexpr std::size_t sending_header = 168;
inline constexpr std::size_t sending_chain = 200;
inline constexpr std::size_t sending_n = 264;
inline constexpr std::size_t receiving_number = 272;
inline constexpr std::size_t receiving_header = 276;
inline constexpr std::size_t receiving_chain = 308;
inline constexpr std::size_t receiving_n = 372;
inline constexpr std::size_t receiving_kept = 376;
inline constexpr std::size_t receiving_kept_at = 380;
inline constexpr std::size_t closed_count = 388;

/// Where the epoch area of a record begins, behind its length.
inline std::size_t epochs(ByteView record) {
    const std::size_t part = closed_count + 1 + 48 * std::to_integer<std::size_t>(record[closed_count]);
    return part + 2 + (std::to_integer<std::size_t>(record[part]) << 8U) +
           std::to_integer<std::size_t>(record[part + 1]) + 2;
}
// Within the epoch area:
inline constexpr std::size_t epochs_receiving = 0;
inline constexpr std::size_t epochs_messages = 4;
inline constexpr std::size_t epochs_since = 8;
inline constexpr std::size_t epochs_stage = 16;
inline constexpr std::size_t epochs_secrets = 17;
}  // namespace offset

/// Of a session record without handshake part: docs/protocol.md 7.6.
inline constexpr std::size_t largest_session_record = 1843;

inline void put(std::span<std::byte> bytes, std::size_t at, std::uint32_t value) {
    for (unsigned i = 0; i < 4; ++i) bytes[at + i] = static_cast<std::byte>(value >> (24 - 8 * i));
}

inline Session with(const Session& session, std::size_t at, std::uint32_t value) {
    auto bytes = session.serialize();
    put(bytes, at, value);
    return Session::parse(bytes).value();
}

/// Fields of a header's plaintext.
inline constexpr std::size_t field_key = 1;
inline constexpr std::size_t field_previous = 33;
inline constexpr std::size_t field_n = 37;
inline constexpr std::size_t field_epoch = 41;

/// Decrypts the header of an envelope (without handshake part) that `sender` has just sealed, changes it, and
/// encrypts it again.
template <class Change>
Bytes rewrite_header(const Session& sender, Bytes envelope, Change change) {
    const auto state = sender.serialize();
    const auto key = ByteView{state}.subspan<offset::sending_header, 32>();
    const auto all = std::span{envelope};
    const auto nonce = ByteView{envelope}.subspan<1, 24>();
    Array<45> plain;
    EXPECT_TRUE(xopen(key, nonce, all.first(1), all.subspan(25, 61), plain));
    change(std::span<std::byte>{plain});
    std::ranges::copy(plain, all.subspan(25, 45).begin());
    xseal(key, nonce, all.first(1), all.subspan(25, 61));
    return envelope;
}

inline Bytes rewrite_header(const Session& sender, Bytes envelope, std::size_t field, std::uint32_t value) {
    return rewrite_header(sender, std::move(envelope),
                          [&](std::span<std::byte> plain) { put(plain, field, value); });
}

/// The session with the turn made that is due before its next message; `rng` draws the ratchet key.
inline Session turned(const Session& session, std::int64_t now, Rng& rng) {
    auto state = SessionAccess::state(session).clone();
    EXPECT_TRUE(!state->turn_due || turn_sending(*state, now, rng));
    return SessionAccess::wrap(std::move(state));
}

/// An envelope (without handshake part) beside the session that sealed it, as it was just before.
struct Sent {
    Session before;
    Bytes envelope;
};

inline Sent send(End& from, std::string_view content = "x") {
    auto randomness = from.rng();  // a copy: what the seal will draw
    auto before = turned(from.session(), from.now, randomness);
    return {std::move(before), from.seal(content)};
}

inline MessageKey key_of(const Sent& sent) {
    const auto state = sent.before.serialize();
    ChainKey chain;
    std::ranges::copy(ByteView{state}.subspan(offset::sending_chain, 32), chain.bytes.begin());
    return chain_step(chain);
}

/// What is inside.
inline Body inside(const Sent& sent) {
    return open_body(key_of(sent), sent.before.id(), Envelope::parse(sent.envelope).value()).value();
}
inline bool carries_key(const Sent& sent) {
    return inside(sent).frames.kem_key.has_value();
}
inline bool carries_ciphertext(const Sent& sent) {
    return inside(sent).frames.kem_ciphertext.has_value();
}

/// The same message with another body under its own keys, as only its sender could make it.
inline Bytes with_body(const Sent& sent, ByteView plain) {
    Bytes out = sent.envelope;
    const auto envelope = Envelope::parse(sent.envelope).value();
    out.resize(1 + body_offset + plain.size() + tag_size);
    std::ranges::copy(plain, out.begin() + 1 + body_offset);
    const BodyKeys keys{key_of(sent), envelope.salt(), sent.before.id(), envelope.header()};
    seal_once(keys.encryption(), {}, std::span{out}.subspan(1 + body_offset));
    return out;
}

/// One frame after another.
inline Bytes body(std::initializer_list<std::pair<std::uint8_t, ByteView>> frames) {
    Bytes out;
    for (const auto& [type, value] : frames) {
        const auto at = out.size();
        out.resize(at + frame_head_size + value.size());
        write_frame(type, value, std::span{out}.subspan(at));
    }
    out.resize(std::max<std::size_t>(out.size(), 64));
    return out;
}

/// `count` envelopes of one end, in order.
inline std::vector<Bytes> burst(End& from, int count, const std::string& name = "m") {
    std::vector<Bytes> out;
    for (int i = 0; i < count; ++i) out.push_back(from.seal(name + std::to_string(i)));
    return out;
}

/// One round trip, after which both have turned their chains.
inline void turn(Conversation& c) {
    ASSERT_TRUE(c.bob_end.open(c.alice_end.seal("ping")).has_value());
    ASSERT_TRUE(c.alice_end.open(c.bob_end.seal("pong")).has_value());
}

}  // namespace sotto::crypto::test
