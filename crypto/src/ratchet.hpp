// The steps of the Double Ratchet on a candidate state. docs/protocol.md section 7.
#pragma once

#include "key_schedule.hpp"
#include "sotto/crypto/random.hpp"
#include "state.hpp"

namespace sotto::crypto {

inline constexpr std::uint32_t last_message_number = 0xfffffffe;  ///< 2^32 − 2

/// What a receiving step changes in the store besides the session: `dropped` first, then `kept`.
struct KeptChanges {
    std::vector<KeptKey> kept;
    std::vector<std::uint32_t> dropped;
};

/// CK′ ‖ MK = mac64(CK, label): 7.3.
[[nodiscard]] MessageKey chain_step(ChainKey& chain);

/// 7.1 for the initiator, who draws its ratchet key.
void start_initiator(Session::State& state, const Roots& roots, Rng& rng);
/// 7.1 for the responder, at message 0 of the initiator's chain; DHr is still to come from a header.
void start_responder(Session::State& state, const Roots& roots);

/// The key of message `n` of the current receiving chain, those skipped on the way being kept.
/// gap_too_large before anything is hashed.
[[nodiscard]] Result<MessageKey> advance(Session::State& state, std::uint32_t n, std::int64_t now_ms,
                                         KeptChanges& changes);

/// The receiving half of a turn: a DH step with the peer's new ratchet key into the epoch that its header
/// names, which `may_name` has allowed. The rest of the chain that ends is kept; the new one stands at
/// message 0. Our own ratchet key is wiped: the sending half is due.
[[nodiscard]] Result<void> turn_receiving(Session::State& state, const Match& match, std::int64_t now_ms,
                                          KeptChanges& changes);
/// The sending half, when something is to be sent: a fresh ratchet key, and a new epoch if one is ready.
/// False if the agreement is all zero.
[[nodiscard]] bool turn_sending(Session::State& state, std::int64_t now_ms, Rng& rng);

/// A kept key of this chain has been used; true if the state knows the chain and counts a key of it.
[[nodiscard]] bool use_kept(Session::State& state, std::uint32_t chain);

/// Chains whose latest kept key is over 30 days old lose their keys; their numbers.
[[nodiscard]] std::vector<std::uint32_t> drop_expired(Session::State& state, std::int64_t now_ms);

}  // namespace sotto::crypto
