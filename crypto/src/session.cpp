#include "sotto/crypto/session.hpp"

#include "epochs.hpp"
#include "message.hpp"
#include "ratchet.hpp"

namespace sotto::crypto {
namespace {

/// Does `match` fit this very state? It need not, if it was made by an older one.
bool fits(const Session::State& state, const Match& match) {
    switch (match.chain) {
        case Match::Chain::current:
            return match.kept_chain == state.receiving.number && match.epoch == state.receiving.epoch &&
                   match.needs.has_value() == (match.n < state.receiving.n);
        case Match::Chain::next:
            // Who hasn't seen our next ratchet key can't turn again.
            return !state.turn_due && match.kept_chain == state.receiving.number + 1 &&
                   may_name(state, match.epoch) && !match.needs;
        case Match::Chain::kept:
            return match.kept_chain < state.receiving.number && match.epoch <= state.receiving.epoch &&
                   match.needs.has_value();
    }
    return false;
}

Result<Body> open_with_next_key(Session::State& state, const Envelope& envelope, const Match& match,
                                std::int64_t now_ms, KeptChanges& changes) {
    if (match.chain == Match::Chain::next) {
        const auto turned = turn_receiving(state, match, now_ms, changes);
        if (!turned) return std::unexpected(turned.error());
    }
    const auto key = advance(state, match.n, now_ms, changes);
    if (!key) return std::unexpected(key.error());
    return open_body(*key, state.id, envelope);
}

Result<Body> open_with_kept_key(Session::State& state, const Envelope& envelope, const Match& match,
                                const MessageKey& kept) {
    auto body = open_body(kept, state.id, envelope);
    if (body && !use_kept(state, match.kept_chain)) return std::unexpected(Error::duplicate);
    return body;
}

/// Type byte and handshake part; returns what is left for the message.
std::span<std::byte> write_prefix(const Bytes* part, std::span<std::byte> out) {
    if (part == nullptr) {
        out[0] = std::byte{envelope_message};
        return out.subspan(1);
    }
    out[0] = std::byte{envelope_handshake};
    out[1] = static_cast<std::byte>(part->size() >> 8U);
    out[2] = static_cast<std::byte>(part->size() & 0xffU);
    copy_bytes(*part, out.subspan(3));
    return out.subspan(3 + part->size());
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

std::uint32_t Session::epoch() const {
    return state_->epoch;
}

Result<Sealed> Session::seal(ByteView content, std::int64_t now_ms, Rng& rng) const {
    if (content.size() > max_content_size) return std::unexpected(Error::too_large);
    if (!state_->turn_due && state_->sending.n > last_message_number)
        return std::unexpected(Error::exhausted);
    auto next = state_->clone();
    if (next->turn_due && !turn_sending(*next, now_ms, rng)) return std::unexpected(Error::bad_key);
    const auto frame = frame_to_send(*next, now_ms, rng);
    const auto key = chain_step(next->sending.chain);
    const auto n = next->sending.n++;
    count_message(*next);

    const auto* const part = next->handshake.get();
    const std::size_t prefix_size = part != nullptr ? 1 + 2 + part->size() : 1;
    const std::size_t frame_size = frame ? frame_head_size + frame->value.size() : 0;
    Bytes out(
        padded_size(prefix_size + envelope_overhead - 1 + frame_head_size + content.size() + frame_size));
    const auto message = write_prefix(part, out);
    const auto rest = write_frame(frame_content, content, message.subspan(body_offset));
    if (frame) write_frame(frame->type, frame->value, rest);
    seal_message(*next, key, n, ByteView{out}.first(prefix_size), message, rng);
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
            if (fits(s, *match)) return *match;
        }
    }
    if (!s.turn_due && hinted(s.receiving.next_header, envelope)) {
        if (auto match = open_header(s.receiving.next_header, envelope);
            match && (s.receiving.number > 0 || match->previous == 0)) {
            match->chain = Match::Chain::next;
            match->kept_chain = s.receiving.number + 1;
            if (fits(s, *match)) return *match;
        }
    }
    for (const auto& chain : s.closed.all()) {
        if (!hinted(chain.header, envelope)) continue;
        if (auto match = open_header(chain.header, envelope)) {
            match->chain = Match::Chain::kept;
            match->kept_chain = chain.number;
            match->needs = KeptKeyId{chain.number, match->n};
            if (fits(s, *match)) return *match;
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
    count_message(*next);
    auto body = match.needs ? open_with_kept_key(*next, envelope, match, *kept)
                            : open_with_next_key(*next, envelope, match, now_ms, changes);
    if (!body) return std::unexpected(body.error());
    // The body has opened: only now its frames count.
    if (const auto taken = take_frames(*next, body->frames, match.needs.has_value(), rng); !taken)
        return std::unexpected(taken.error());
    next->handshake.reset();
    return Opened{Session{std::move(next)},   std::move(*body).content(), match.needs.has_value(),
                  std::move(changes.dropped), std::move(changes.kept),    match.needs};
}

std::vector<std::uint32_t> Session::drop_expired_chains(std::int64_t now_ms) {
    return drop_expired(*state_, now_ms);
}

}  // namespace sotto::crypto
