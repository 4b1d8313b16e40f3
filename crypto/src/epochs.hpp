// The post-quantum ratchet on a candidate state: who offers a key, who answers, and when an epoch's secret
// enters the root. docs/protocol.md section 7.5, whose rules are named here.
#pragma once

#include <optional>

#include "frames.hpp"
#include "state.hpp"

namespace sotto::crypto {

inline constexpr std::uint32_t epoch_messages = 20;           ///< Q2: due after so many messages
inline constexpr std::int64_t epoch_lifetime_ms = 3'600'000;  ///< Q2: or an hour
inline constexpr std::uint32_t last_epoch = 0xffffffff;

/// Q1: odd epochs are decapsulated by the initiator, even ones by the responder.
[[nodiscard]] bool decapsulates(const Session::State& state, std::uint32_t epoch);

/// Q7: may the peer's next chain name this epoch? The present one, or the next if we have answered its key.
[[nodiscard]] bool may_name(const Session::State& state, std::uint32_t epoch);

/// Q6: the epoch of our own next chain.
[[nodiscard]] std::uint32_t epoch_to_send(const Session::State& state);

/// Q8: what a root step into `epoch` mixes in beside the agreement: the epoch's secret if it is the next one,
/// 32 zero bytes if it is the present one.
[[nodiscard]] FixedView<32> epoch_secret(const Session::State& state, std::uint32_t epoch);

/// Q8: the root has stepped into `epoch`; if that is a new one, its secret is wiped and the count starts
/// anew.
void enter_epoch(Session::State& state, std::uint32_t epoch, std::int64_t now_ms);

/// One more message was sealed or opened in this epoch.
void count_message(Session::State& state);

struct EpochFrame {
    std::uint8_t type = 0;
    Bytes value;
};
/// Q2, Q3: the frame that the message about to be sealed carries, if any. May begin an epoch.
[[nodiscard]] std::optional<EpochFrame> frame_to_send(Session::State& state, std::int64_t now_ms, Rng& rng);

/// Q4, Q5: the frames of a body that has opened. `late`: a later message of its chain was there before it.
[[nodiscard]] Result<void> take_frames(Session::State& state, const Frames& frames, bool late, Rng& rng);

}  // namespace sotto::crypto
