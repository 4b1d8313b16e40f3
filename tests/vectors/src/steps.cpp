#include "steps.hpp"

#include <array>

#include "epochs.hpp"
#include "message.hpp"
#include "ratchet.hpp"

namespace sotto::vectors {
namespace {

using namespace crypto;  // NOLINT(google-build-using-namespace): nearly every name here is of there

constexpr std::array stage_names{"idle", "offered", "ready", "answered"};
constexpr std::array chain_names{"current", "next", "remembered"};

const char* stage_of(const Session::State& state) {
    return stage_names.at(static_cast<std::size_t>(state.epochs.stage));
}

/// A state to try the internal steps on.
std::unique_ptr<Session::State> candidate(const Session& session) {
    return SessionAccess::state(session).clone();
}

Bytes header_plain(const StateKey<struct HeaderKeyRole>& key, const Envelope& envelope) {
    const auto nonce = joined({envelope.salt(), envelope.hint()});
    Bytes plain(header_plain_size);
    expect_that(xopen(key.view(), FixedView<xnonce_size>{nonce}, envelope.prefix(), envelope.header(), plain),
                "header: opens under its key");
    return plain;
}

/// The frames of a body and how many bytes of padding follow; the content stands elsewhere.
Json frames_in(ByteView body) {
    Json out = Json::array();
    Reader reader{body};
    while (!reader.remaining().empty()) {
        const auto type = reader.u8();
        if (type == frame_padding) return {{"frames", out}, {"padding", reader.remaining().size() + 1}};
        const auto value = reader.take(reader.u32());
        Json frame{{"type", type}, {"length", value.size()}};
        if (type != frame_content) frame["value"] = hex(value);
        out.push_back(std::move(frame));
    }
    return {{"frames", out}, {"padding", 0}};
}

Json kept_keys(const std::vector<KeptKey>& keys) {
    Json out = Json::array();
    for (const auto& one : keys)
        out.push_back({{"chain", one.chain}, {"n", one.n}, {"key", hex(one.key.expose())}});
    return out;
}

Json header_fields(const Match& match) {
    return {{"chain", chain_names.at(static_cast<std::size_t>(match.chain))},
            {"chain_number", match.kept_chain},
            {"n", match.n},
            {"previous", match.previous},
            {"epoch", match.epoch}};
}

/// The message's key, by way of the receiving steps on `state`.
MessageKey receiving_key(Session::State& state, const Match& match, std::int64_t now_ms, Json& out) {
    KeptChanges changes;
    if (match.chain == Match::Chain::next) {
        const auto before = state.clone();
        out["ended_chain_key"] = hex(state.receiving.chain.bytes);
        must(turn_receiving(state, match, now_ms, changes), "the turn");
        out["receiving_root_step"] = root_step(*before, state, match.epoch, false);
    }
    out["chain_key"] = hex(state.receiving.chain.bytes);
    auto key = must(advance(state, match.n, now_ms, changes), "the chain");
    out["next_chain_key"] = hex(state.receiving.chain.bytes);
    if (!changes.dropped.empty()) out["dropped_chains"] = changes.dropped;
    out["kept"] = kept_keys(changes.kept);
    return key;
}

/// Walks once more through what `Session::open` does, on a candidate, and writes down what it meets.
Json retrace(const Session& before, const Session& after, const Json& given, const Envelope& envelope,
             const Match& match, const MessageKey* kept, std::int64_t now_ms) {
    Json out = header_fields(match);
    auto state = candidate(before);
    count_message(*state);
    const auto key = match.needs ? kept->clone() : receiving_key(*state, match, now_ms, out);
    out["message_key"] = hex(key.expose());
    const auto body = must(open_body(key, state->id, envelope), "the body");
    if (match.needs) expect_that(use_kept(*state, match.kept_chain), "the kept key is counted");
    Draws draws{given, nullptr};
    const auto stage = state->epochs.stage;
    const auto secret = state->epochs.secret.bytes;
    must(take_frames(*state, body.frames, match.needs.has_value(), draws), "the frames");
    if (state->epochs.secret.bytes != secret || state->epochs.stage != stage)
        out["kem_shared_secret"] = hex(state->epochs.secret.bytes);
    out["stage"] = stage_of(*state);
    state->handshake.reset();
    expect_that(SessionAccess::wrap(std::move(state)).serialize() == after.serialize(),
                "the steps lead to another state than the library's");
    return out;
}

std::vector<const char*> names_of_sealing(bool turns, std::size_t draws) {
    std::vector<const char*> names;
    if (turns) names.push_back("ratchet_secret");
    if (draws > names.size() + 1) names.push_back("kem_seed");
    names.push_back("salt");
    return names;
}

/// The state in which the message is sealed: with the turn made that was due before it.
std::unique_ptr<Session::State> ready_to_seal(const Session& session, const Json& given, std::int64_t now_ms,
                                              Json& out) {
    auto state = candidate(session);
    if (!state->turn_due) return state;
    const auto before = state->clone();
    const auto epoch = epoch_to_send(*state);
    Draws draws{given, nullptr};
    expect_that(turn_sending(*state, now_ms, draws), "the agreement");
    // The root step is made with the fresh key.
    std::ranges::copy(state->own_secret.bytes, before->own_secret.bytes.begin());
    out["sending_root_step"] = root_step(*before, *state, epoch, true);
    return state;
}

Json refusal(Error error, ByteView refused) {
    return {{"error", name(error)}, {"sha256", digest(refused)}};
}

}  // namespace

void End::take(Opened opened) {
    for (const auto chain : opened.dropped_chains)
        std::erase_if(keys, [chain](const auto& entry) { return entry.first.first == chain; });
    for (auto& one : opened.kept) keys.emplace(std::pair{one.chain, one.n}, std::move(one.key));
    if (opened.used) keys.erase({opened.used->chain, opened.used->n});
    session = std::move(opened.next);
}

Json root_step(const Session::State& before, const Session::State& after, std::uint32_t epoch, bool sending) {
    Array<32> agreement;
    expect_that(detail::x25519(before.own_secret.view(), FixedView<32>{after.peer_public}, agreement),
                "an agreement of zeros");
    const auto& chain = sending ? after.sending.chain : after.receiving.chain;
    const auto& next = sending ? after.sending.next_header : after.receiving.next_header;
    return {{"root_key", hex(before.root.bytes)},
            {"own_ratchet_secret", hex(before.own_secret.bytes)},
            {"peer_ratchet_key", hex(after.peer_public)},
            {"agreement", hex(agreement)},
            {"epoch", epoch},
            {"epoch_secret", hex(epoch_secret(before, epoch))},
            {"next_root_key", hex(after.root.bytes)},
            {"chain_key", hex(chain.bytes)},
            {"next_header_key", hex(next.key.bytes)}};
}

Json seal_step(End& end, Json& given, ByteView content, std::int64_t now_ms, Rng* fresh) {
    Draws draws{given, fresh};
    auto sealed = must(end.session.seal(content, now_ms, draws), "sealing");
    const auto names = names_of_sealing(end.state().turn_due, draws.drawn().size());
    draws.finish(given, names);

    Json out = Json::object();
    const auto ready = ready_to_seal(end.session, given, now_ms, out);
    const auto& before = *ready;
    const auto& after = SessionAccess::state(sealed.next);
    auto chain = before.sending.chain;
    const auto key = chain_step(chain);
    expect_that(chain.bytes == after.sending.chain.bytes, "the chain has another key");
    const auto envelope = must(Envelope::parse(sealed.envelope), "the envelope");
    const BodyKeys keys{key, envelope.salt(), before.id, envelope.header()};
    Bytes body(envelope.body().size() - tag_size);
    expect_that(open_once(keys.encryption(), {}, envelope.body(), body), "the body opens");

    out.update({{"n", before.sending.n},
                {"header_key", hex(before.sending.header.key.bytes)},
                {"hint_key", hex(before.sending.header.hint_key)},
                {"chain_key", hex(before.sending.chain.bytes)},
                {"next_chain_key", hex(chain.bytes)},
                {"message_key", hex(key.expose())},
                {"hint", hex(envelope.hint())},
                {"header", hex(header_plain(before.sending.header.key, envelope))},
                {"encryption_key", hex(keys.encryption())},
                {"commitment", hex(keys.commitment())}});
    out.update(frames_in(body));
    if (const auto seed = std::ranges::find(names, std::string_view{"kem_seed"}); seed != names.end())
        out["kem_seed_of_zeros"] =
            rejection(FixedView<64>{draws.drawn().at(static_cast<std::size_t>(seed - names.begin()))});
    out["stage"] = stage_of(after);
    out["envelope"] = hex(sealed.envelope);
    end.session = std::move(sealed.next);
    return out;
}

Json open_step(End& end, Json& given, ByteView bytes, std::int64_t now_ms, Rng* fresh) {
    const auto envelope = Envelope::parse(bytes);
    if (!envelope) return refusal(envelope.error(), bytes);
    const auto match = end.session.find(*envelope);
    if (!match) return refusal(match.error(), bytes);
    const MessageKey* kept = nullptr;
    if (match->needs) {
        const auto found = end.keys.find({match->needs->chain, match->needs->n});
        if (found != end.keys.end()) kept = &found->second;
    }
    Draws draws{given, fresh};
    auto opened = end.session.open(*envelope, *match, kept, now_ms, draws);
    if (!opened) {
        // Nothing may depend on what was drawn for a state that is thrown away.
        auto out = header_fields(*match);
        out.update(refusal(opened.error(), bytes));
        return out;
    }
    draws.finish(given, draws.drawn().empty() ? std::vector<const char*>{} : std::vector{"kem_m"});
    auto out = retrace(end.session, opened->next, given, *envelope, *match, kept, now_ms);
    out["content"] = std::string{chars_of(opened->content)};
    out["late"] = opened->late;
    end.take(std::move(*opened));
    return out;
}

Json opened_first(const Session& before, const Session& after, const Json& given, ByteView bytes,
                  std::int64_t now_ms) {
    const auto envelope = must(Envelope::parse(bytes), "the envelope");
    const auto match = must(before.find(envelope), "the match");
    return retrace(before, after, given, envelope, match, nullptr, now_ms);
}

}  // namespace sotto::vectors
