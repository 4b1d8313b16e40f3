#include "epochs.hpp"

#include <algorithm>
#include <bit>
#include <limits>

namespace sotto::crypto {
namespace {

constexpr Array<32> no_secret{};  ///< S_0, and what steps within an epoch mix in

KemDecapsulationKey offered_key(const Epochs& epochs) {
    return KemDecapsulationKey{KemSeed{FixedView<64>{epochs.seed}}};
}

/// Q2
bool due(const Session::State& state, std::int64_t now_ms) {
    const auto& epochs = state.epochs;
    if (epochs.stage != EpochStage::idle || state.epoch == last_epoch || state.receiving.number == 0)
        return false;
    if (!decapsulates(state, state.epoch + 1)) return false;
    if (state.epoch == 0 || epochs.messages >= epoch_messages) return true;
    // A clock that was set back by an hour says nothing about the time that has passed: counted as too much.
    const auto apart = std::max<std::int64_t>(now_ms, 0) - epochs.since_ms;
    return apart >= epoch_lifetime_ms || apart <= -epoch_lifetime_ms;
}

void offer(Session::State& state, Rng& rng) {
    auto& epochs = state.epochs;
    rng.fill(epochs.seed);
    epochs.stage = EpochStage::offered;
    epochs.sealed = 0;
}

/// Q4
Result<void> take_key(Session::State& state, const KemKeyFrame& frame, bool late, Rng& rng) {
    auto& epochs = state.epochs;
    if (state.epoch == last_epoch || frame.epoch != state.epoch + 1 || decapsulates(state, frame.epoch))
        return {};
    const auto id = kem_key_id(frame.key);
    if (epochs.stage == EpochStage::answered) {
        const auto answered = parse_kem_ciphertext(*state.answer);
        if (late || !answered || std::ranges::equal(answered->key_id, id)) return {};
    }
    const auto kem = frame.key.encapsulate(rng);
    if (!kem) return std::unexpected(Error::cannot_open);
    std::ranges::copy(kem->shared.expose(), epochs.secret.bytes.begin());
    state.answer = std::make_shared<const Bytes>(encode_kem_ciphertext(frame.epoch, id, kem->ciphertext));
    epochs.stage = EpochStage::answered;
    epochs.sealed = 0;
    return {};
}

/// Q5
Result<void> take_ciphertext(Session::State& state, const KemCiphertextFrame& frame) {
    auto& epochs = state.epochs;
    if (epochs.stage != EpochStage::offered || frame.epoch != state.epoch + 1) return {};
    const auto key = offered_key(epochs);
    if (!std::ranges::equal(kem_key_id(key.public_key()), frame.key_id)) return {};
    const auto shared = key.decapsulate(frame.ciphertext);
    if (!shared) return std::unexpected(Error::cannot_open);
    std::ranges::copy(shared->expose(), epochs.secret.bytes.begin());
    wipe(epochs.seed.data(), epochs.seed.size());
    epochs.stage = EpochStage::ready;
    epochs.sealed = 0;
    return {};
}

}  // namespace

bool decapsulates(const Session::State& state, std::uint32_t epoch) {
    return (epoch % 2 == 1) == state.initiator;
}

bool may_name(const Session::State& state, std::uint32_t epoch) {
    if (epoch == state.epoch) return true;
    return state.epochs.stage == EpochStage::answered && epoch == state.epoch + 1;
}

std::uint32_t epoch_to_send(const Session::State& state) {
    return state.epochs.stage == EpochStage::ready ? state.epoch + 1 : state.epoch;
}

FixedView<32> epoch_secret(const Session::State& state, std::uint32_t epoch) {
    return epoch == state.epoch ? FixedView<32>{no_secret} : state.epochs.secret.view();
}

void enter_epoch(Session::State& state, std::uint32_t epoch, std::int64_t now_ms) {
    if (epoch == state.epoch) return;
    state.epoch = epoch;
    wipe(&state.epochs, sizeof state.epochs);
    state.epochs = {};
    state.epochs.since_ms = std::max<std::int64_t>(now_ms, 0);
    state.answer.reset();
}

void count_message(Session::State& state) {
    auto& count = state.epochs.messages;
    if (count < std::numeric_limits<std::uint32_t>::max()) ++count;
}

std::optional<EpochFrame> frame_to_send(Session::State& state, std::int64_t now_ms, Rng& rng) {
    auto& epochs = state.epochs;
    if (due(state, now_ms)) offer(state, rng);
    if (epochs.stage != EpochStage::offered && epochs.stage != EpochStage::answered) return std::nullopt;
    if (!std::has_single_bit(++epochs.sealed)) return std::nullopt;
    if (epochs.stage == EpochStage::answered) return EpochFrame{frame_kem_ciphertext, *state.answer};
    return EpochFrame{frame_kem_key, encode_kem_key(state.epoch + 1, offered_key(epochs).public_key())};
}

Result<void> take_frames(Session::State& state, const Frames& frames, bool late, Rng& rng) {
    if (frames.kem_key) {
        if (const auto taken = take_key(state, *frames.kem_key, late, rng); !taken) return taken;
    }
    if (frames.kem_ciphertext) return take_ciphertext(state, *frames.kem_ciphertext);
    return {};
}

}  // namespace sotto::crypto
