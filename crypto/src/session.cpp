#include "sotto/crypto/session.hpp"

#include <cstring>

#include "aead.hpp"
#include "labels.hpp"
#include "padding.hpp"
#include "ratchet.hpp"
#include "sodium.hpp"
#include "sotto/crypto/codec.hpp"

namespace sotto::crypto {
namespace {

constexpr std::size_t salt_size = 16;
constexpr std::size_t header_plain_size = encoded_key_size + 4 + 4 + 4;
constexpr std::size_t header_size = header_plain_size + tag_size;
constexpr std::size_t commitment_size = 32;

/// K_enc ‖ C of one message: section 8.
class BodyKeys {
  public:
    BodyKeys(const MessageKey& key, FixedView<salt_size> salt, const SessionId& id,
             FixedView<header_size> header) {
        mac64(key.expose(), labels::message, {salt, id, header}, both_.writable());
    }
    [[nodiscard]] FixedView<32> encryption() const { return both_.expose().first<32>(); }
    [[nodiscard]] FixedView<32> commitment() const { return both_.expose().last<32>(); }

  private:
    struct BothTag;
    Secret<BothTag, 64> both_;
};

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

/// Does the envelope's hint name this key? One comparison of whole words: as constant in time as a call would
/// be, and this runs for every header key of every session.
bool hinted(const HeaderKey& key, const Envelope& envelope) {
    const auto ours = hint_for(key, envelope.salt());
    std::uint64_t x = 0;
    std::uint64_t y = 0;
    std::memcpy(&x, ours.data(), sizeof x);
    std::memcpy(&y, envelope.hint().data(), sizeof y);
    return x == y;
}

/// Writes salt, hint and encrypted header; returns the header.
void write_header(const Session::State& state, std::uint32_t n, ByteView prefix, std::span<std::byte> out,
                  Rng& rng) {
    const auto salt = out.first<salt_size>();
    rng.fill(salt);
    std::ranges::copy(hint_for(state.sending.header, salt), out.subspan<salt_size, 8>().begin());
    const auto header = out.subspan<xnonce_size, header_size>();
    header[0] = std::byte{static_cast<std::uint8_t>(KeyType::x25519)};
    std::ranges::copy(state.own_public, header.subspan<1, 32>().begin());
    put_u32(header.subspan<33, 4>(), state.sending.previous);
    put_u32(header.subspan<37, 4>(), n);
    put_u32(header.subspan<41, 4>(), state.epoch);
    xseal(state.sending.header.key.view(), out.first<xnonce_size>(), prefix, header);
}

/// The header's fields, if `key` opens it.
std::optional<Match> open_header(const HeaderKey& key, const Envelope& envelope) {
    Array<xnonce_size> nonce;
    std::ranges::copy(envelope.salt(), nonce.begin());
    std::ranges::copy(envelope.hint(), nonce.begin() + salt_size);
    HeaderPlain plain;
    if (!xopen(key.key.view(), nonce, envelope.prefix(), envelope.header(), plain.writable()))
        return std::nullopt;
    Reader reader{plain.expose()};
    const auto ratchet_key = RatchetKey::decode(reader.take(encoded_key_size));
    Match match;
    match.previous = reader.u32();
    match.n = reader.u32();
    match.epoch = reader.u32();
    if (!ratchet_key || match.epoch != 0 || match.n > last_message_number) return std::nullopt;
    std::ranges::copy(ratchet_key->raw(), match.ratchet_key.begin());
    return match;
}

/// The content, if key, commitment, tag and frames are right.
Result<SecretBytes> open_body(const MessageKey& key, const SessionId& id, const Envelope& envelope) {
    const BodyKeys keys{key, envelope.salt(), id, envelope.header()};
    if (!equal_constant_time(keys.commitment(), envelope.commitment()))
        return std::unexpected(Error::cannot_open);
    const auto body = envelope.body();
    SecretBytes plain(body.size() - tag_size);
    if (!open_once(keys.encryption(), {}, body, plain)) return std::unexpected(Error::cannot_open);
    const auto content = read_frames(plain);
    if (!content) return std::unexpected(Error::cannot_open);
    std::ranges::copy(*content, plain.begin());
    plain.resize(content->size());
    return plain;
}

/// Does `match` fit this very state? It need not, if it was made by an older one.
bool fits(const Session::State& state, const Match& match) {
    switch (match.chain) {
        case Match::Chain::current:
            return match.kept_chain == state.receiving.number &&
                   match.needs.has_value() == (match.n < state.receiving.n);
        case Match::Chain::next:
            return match.kept_chain == state.receiving.number + 1 && !match.needs;
        case Match::Chain::kept:
            return match.kept_chain < state.receiving.number && match.needs.has_value();
    }
    return false;
}

Result<MessageKey> next_key(Session::State& state, const Match& match, std::int64_t now_ms, Rng& rng,
                            KeptChanges& changes) {
    if (match.chain == Match::Chain::next) {
        const auto turned =
            turn(state, FixedView<32>{match.ratchet_key}, match.previous, match.n, now_ms, rng, changes);
        if (!turned) return std::unexpected(turned.error());
    }
    return advance(state, match.n, now_ms, changes);
}

}  // namespace

Session::Session(std::unique_ptr<State> state) : state_(std::move(state)) {}
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;
Session::~Session() = default;

Session Session::clone() const {
    return Session{state_->clone()};
}
const SessionId& Session::id() const {
    return state_->id;
}
bool Session::initiator() const {
    return state_->initiator;
}
bool Session::awaiting_reply() const {
    return state_->handshake != nullptr;
}
bool Session::weak_start() const {
    return state_->weak_start;
}

Result<Sealed> Session::seal(ByteView content, Rng& rng) const {
    if (content.size() > max_content_size) return std::unexpected(Error::too_large);
    if (state_->sending.n > last_message_number) return std::unexpected(Error::exhausted);
    auto next = state_->clone();
    const auto key = chain_step(next->sending.chain);
    const auto n = next->sending.n++;

    const auto* const part = next->handshake.get();
    const std::size_t prefix_size = part != nullptr ? 1 + 2 + part->size() : 1;
    Bytes out(padded_size(prefix_size + envelope_overhead - 1 + frame_head_size + content.size()));
    const std::span<std::byte> all{out};
    out[0] = std::byte{part != nullptr ? envelope_handshake : envelope_message};
    if (part != nullptr) {
        out[1] = static_cast<std::byte>(part->size() >> 8U);
        out[2] = static_cast<std::byte>(part->size() & 0xffU);
        std::ranges::copy(*part, all.subspan(3).begin());
    }
    const auto message = all.subspan(prefix_size);
    write_header(*next, n, all.first(prefix_size), message, rng);
    const auto header = message.subspan<xnonce_size, header_size>();
    const BodyKeys keys{key, message.first<salt_size>(), next->id, header};
    std::ranges::copy(keys.commitment(),
                      message.subspan<xnonce_size + header_size, commitment_size>().begin());
    const auto body = message.subspan(xnonce_size + header_size + commitment_size);
    write_content_frame(content, body);
    seal_once(keys.encryption(), {}, body);
    return Sealed{Session{std::move(next)}, std::move(out)};
}

Result<Match> Session::find(const Envelope& envelope) const {
    const auto& s = *state_;
    if (s.receiving.number > 0 && hinted(s.receiving.header, envelope)) {
        if (auto match = open_header(s.receiving.header, envelope);
            match && match->ratchet_key == s.peer_public) {
            match->chain = Match::Chain::current;
            match->kept_chain = s.receiving.number;
            if (match->n < s.receiving.n) match->needs = KeptKeyId{s.receiving.number, match->n};
            return *match;
        }
    }
    if (hinted(s.receiving.next_header, envelope)) {
        if (auto match = open_header(s.receiving.next_header, envelope);
            match && (s.receiving.number > 0 || match->previous == 0)) {
            match->chain = Match::Chain::next;
            match->kept_chain = s.receiving.number + 1;
            return *match;
        }
    }
    for (const auto& chain : s.closed.all()) {
        if (!hinted(chain.header, envelope)) continue;
        if (auto match = open_header(chain.header, envelope)) {
            match->chain = Match::Chain::kept;
            match->kept_chain = chain.number;
            match->needs = KeptKeyId{chain.number, match->n};
            return *match;
        }
    }
    return std::unexpected(Error::cannot_open);
}

Result<Opened> Session::open(const Envelope& envelope, const Match& match, const MessageKey* kept,
                             std::int64_t now_ms, Rng& rng) const {
    if (!fits(*state_, match)) return std::unexpected(Error::cannot_open);
    if (match.needs && kept == nullptr) return std::unexpected(Error::duplicate);
    auto next = state_->clone();
    KeptChanges changes;
    Result<SecretBytes> content = std::unexpected(Error::cannot_open);
    if (match.needs) {
        content = open_body(*kept, next->id, envelope);
        if (content && !use_kept(*next, match.needs->chain)) return std::unexpected(Error::duplicate);
    } else {
        const auto key = next_key(*next, match, now_ms, rng, changes);
        if (!key) return std::unexpected(key.error());
        content = open_body(*key, next->id, envelope);
    }
    if (!content) return std::unexpected(content.error());
    next->handshake.reset();
    return Opened{Session{std::move(next)},   std::move(*content),     match.needs.has_value(),
                  std::move(changes.dropped), std::move(changes.kept), match.needs};
}

std::vector<std::uint32_t> Session::drop_expired_chains(std::int64_t now_ms) {
    return drop_expired(*state_, now_ms);
}

}  // namespace sotto::crypto
