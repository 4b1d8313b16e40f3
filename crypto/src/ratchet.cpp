#include "ratchet.hpp"

#include <limits>

#include "epochs.hpp"
#include "labels.hpp"
#include "sotto/crypto/codec.hpp"

namespace sotto::crypto {
namespace {

struct RootOutputTag;
using RootOutput = Secret<RootOutputTag, 96>;
struct AgreementTag;
using Agreement = Secret<AgreementTag, 32>;

template <std::size_t Offset, class Key>
void copy_part(const RootOutput& from, Key& to) {
    copy_bytes(from.expose().subspan<Offset, 32>(), to.bytes);
}

/// RK′ ‖ CK ‖ NHK = hkdf(salt = RK, X25519(DHs, DHr) ‖ X, label, session id ‖ e): 7.2.
bool root_step(Session::State& state, std::uint32_t epoch, std::int64_t now_ms, ChainKey& chain,
               HeaderKey& next_header) {
    Agreement shared;
    if (!detail::x25519(state.own_secret.view(), FixedView<32>{state.peer_public}, shared.writable()))
        return false;
    Bytes named;
    Writer{named}.u32(epoch);
    RootOutput out;
    hkdf(state.root.view(), {shared.expose(), epoch_secret(state, epoch)}, labels::ratchet_root,
         {state.id, named}, out.writable());
    copy_part<0>(out, state.root);
    copy_part<32>(out, chain);
    copy_part<64>(out, next_header.key);
    next_header.derive_hint();
    enter_epoch(state, epoch, now_ms);
    return true;
}

void new_ratchet_key(Session::State& state, Rng& rng) {
    rng.fill(state.own_secret.writable());
    detail::x25519_public(state.own_secret.view(), state.own_public);
}

void set_header(HeaderKey& header, FixedView<32> key) {
    copy_bytes(key, header.key.bytes);
    header.derive_hint();
}

std::size_t total_kept(const Session::State& state) {
    std::size_t total = state.receiving.kept;
    for (const auto& chain : state.closed.all()) total += chain.kept;
    return total;
}

std::size_t chains_with_kept(const ClosedChains& closed) {
    return static_cast<std::size_t>(
        std::ranges::count_if(closed.all(), [](const ClosedChain& chain) { return chain.kept > 0; }));
}

/// Closed chains without kept keys go, except the latest.
void prune(Session::State& state) {
    for (std::size_t i = state.closed.count; i-- > 0;) {
        const auto& chain = state.closed.items.at(i);
        if (chain.kept == 0 && chain.number + 1 != state.receiving.number) state.closed.remove(chain.number);
    }
}

/// Drops the kept keys of whole chains, oldest first, until `more` fit in as those of the current chain.
void make_room(Session::State& state, std::size_t more, KeptChanges& changes) {
    const bool current_counts = state.receiving.kept > 0 || more > 0;
    const std::size_t allowed = max_kept_chains - (current_counts ? 1 : 0);
    for (auto& chain : state.closed.all()) {
        if (total_kept(state) + more <= max_kept_keys && chains_with_kept(state.closed) <= allowed) break;
        if (chain.kept == 0) continue;
        changes.dropped.push_back(chain.number);
        chain.kept = 0;
    }
    if (total_kept(state) + more > max_kept_keys) {
        changes.dropped.push_back(state.receiving.number);
        state.receiving.kept = 0;
    }
    prune(state);
}

/// Steps the chain to message `n`, keeping every key on the way.
void keep_until(ReceivingChain& chain, std::uint32_t n, std::int64_t now_ms, KeptChanges& changes) {
    if (chain.n >= n) return;
    changes.kept.reserve(changes.kept.size() + (n - chain.n));
    chain.kept += n - chain.n;
    chain.kept_at = std::max<std::int64_t>(now_ms, 0);
    for (; chain.n < n; ++chain.n) changes.kept.push_back({chain.number, chain.n, chain_step(chain.chain)});
}

/// The current receiving chain is over; its `rest` is kept, unless that and what comes `ahead` are too many
/// together.
void close_current(Session::State& state, std::uint32_t rest, std::uint32_t ahead, std::int64_t now_ms,
                   KeptChanges& changes) {
    auto& chain = state.receiving;
    if (rest + ahead <= max_kept_keys) {
        make_room(state, rest + ahead, changes);
        keep_until(chain, chain.n + rest, now_ms, changes);
    } else if (chain.kept > 0) {
        // The rest would have to go again at once, and what was kept before it is older still.
        changes.dropped.push_back(chain.number);
        chain.kept = 0;
    }
    for (std::size_t i = state.closed.count; i-- > 0;)
        if (state.closed.items.at(i).kept == 0) state.closed.remove(state.closed.items.at(i).number);
    state.closed.push({chain.number, chain.kept, chain.kept_at, chain.header});
}

}  // namespace

MessageKey chain_step(ChainKey& chain) {
    struct StepTag;
    Secret<StepTag, 64> out;
    mac64(chain.view(), labels::chain, {}, out.writable());
    copy_bytes(out.expose().first<32>(), chain.bytes);
    return MessageKey{out.expose().last<32>()};
}

void start_initiator(Session::State& state, const Roots& roots, Rng& rng) {
    const auto keys = roots.expose();
    copy_bytes(keys.first<32>(), state.root.bytes);
    copy_bytes(keys.subspan<32, 32>(), state.sending.chain.bytes);
    set_header(state.sending.header, keys.subspan<64, 32>());
    set_header(state.sending.next_header, keys.subspan<96, 32>());
    set_header(state.receiving.next_header, keys.subspan<128, 32>());
    new_ratchet_key(state, rng);
}

void start_responder(Session::State& state, const Roots& roots) {
    const auto keys = roots.expose();
    copy_bytes(keys.first<32>(), state.root.bytes);
    state.receiving.number = 1;
    copy_bytes(keys.subspan<32, 32>(), state.receiving.chain.bytes);
    set_header(state.receiving.header, keys.subspan<64, 32>());
    set_header(state.receiving.next_header, keys.subspan<96, 32>());
    set_header(state.sending.next_header, keys.subspan<128, 32>());
    state.turn_due = true;
}

Result<MessageKey> advance(Session::State& state, std::uint32_t n, std::int64_t now_ms,
                           KeptChanges& changes) {
    auto& chain = state.receiving;
    if (n < chain.n) return std::unexpected(Error::duplicate);
    if (n > last_message_number) return std::unexpected(Error::cannot_open);
    if (n - chain.n > max_kept_keys) return std::unexpected(Error::gap_too_large);
    if (n > chain.n) make_room(state, n - chain.n, changes);
    keep_until(chain, n, now_ms, changes);
    auto key = chain_step(chain.chain);
    ++chain.n;
    return key;
}

Result<void> turn_receiving(Session::State& state, const Match& match, std::int64_t now_ms,
                            KeptChanges& changes) {
    auto& receiving = state.receiving;
    const auto ahead = match.n;
    const std::uint32_t rest =
        receiving.number > 0 && match.previous > receiving.n ? match.previous - receiving.n : 0;
    if (rest > max_kept_keys || ahead > max_kept_keys) return std::unexpected(Error::gap_too_large);
    if (receiving.number == std::numeric_limits<std::uint32_t>::max())
        return std::unexpected(Error::exhausted);

    if (receiving.number > 0) close_current(state, rest, ahead, now_ms, changes);
    ++receiving.number;
    receiving.epoch = match.epoch;
    receiving.n = 0;
    receiving.kept = 0;
    receiving.kept_at = 0;
    receiving.header = receiving.next_header;
    copy_bytes(match.ratchet_key, state.peer_public);
    prune(state);
    make_room(state, ahead, changes);
    if (!root_step(state, match.epoch, now_ms, receiving.chain, receiving.next_header))
        return std::unexpected(Error::cannot_open);
    state.own_secret = {};
    state.own_public = {};
    state.turn_due = true;
    return {};
}

bool turn_sending(Session::State& state, std::int64_t now_ms, Rng& rng) {
    auto& sending = state.sending;
    sending.previous = sending.n;
    sending.n = 0;
    sending.header = sending.next_header;
    state.epochs.sealed = 0;
    new_ratchet_key(state, rng);
    state.turn_due = false;
    return root_step(state, epoch_to_send(state), now_ms, sending.chain, sending.next_header);
}

bool use_kept(Session::State& state, std::uint32_t number) {
    if (number == state.receiving.number) {
        if (state.receiving.kept == 0) return false;
        --state.receiving.kept;
        return true;
    }
    auto* const chain = state.closed.find(number);
    if (chain == nullptr || chain->kept == 0) return false;
    --chain->kept;
    prune(state);
    return true;
}

std::vector<std::uint32_t> drop_expired(Session::State& state, std::int64_t now_ms) {
    const auto expired = [now_ms](std::uint32_t kept, std::int64_t kept_at) {
        return kept > 0 && now_ms > kept_at && now_ms - kept_at > kept_key_lifetime_ms;
    };
    std::vector<std::uint32_t> dropped;
    for (auto& chain : state.closed.all()) {
        if (!expired(chain.kept, chain.kept_at)) continue;
        dropped.push_back(chain.number);
        chain.kept = 0;
    }
    if (expired(state.receiving.kept, state.receiving.kept_at)) {
        dropped.push_back(state.receiving.number);
        state.receiving.kept = 0;
    }
    prune(state);
    return dropped;
}

}  // namespace sotto::crypto
