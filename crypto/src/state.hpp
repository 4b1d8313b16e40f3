// The state of a session: flat, so that the candidate that a step works on costs one allocation and one copy,
// and is wiped in one go. docs/protocol.md section 7.
#pragma once

#include "sotto/crypto/session.hpp"

namespace sotto::crypto {

/// 32 bytes in one role. They live only inside Session::State, which wipes itself.
template <class Role>
struct StateKey {
    Array<32> bytes{};
    [[nodiscard]] FixedView<32> view() const { return FixedView<32>{bytes}; }
    [[nodiscard]] std::span<std::byte, 32> writable() { return std::span<std::byte, 32>{bytes}; }
};
using RootKey = StateKey<struct RootKeyRole>;
using ChainKey = StateKey<struct ChainKeyRole>;
using RatchetSecret = StateKey<struct RatchetSecretRole>;
using EpochSecret = StateKey<struct EpochSecretRole>;

/// A header key with the hint key that is derived from it, computed once for many comparisons.
struct HeaderKey {
    StateKey<struct HeaderKeyRole> key;
    Array<16> hint_key{};
    /// To be called whenever `key` has changed.
    void derive_hint();
};

struct SendingChain {
    HeaderKey header;       ///< HKs
    ChainKey chain;         ///< CKs
    HeaderKey next_header;  ///< NHKs
    std::uint32_t n = 0;
    std::uint32_t previous = 0;  ///< PN
};

struct ReceivingChain {
    std::uint32_t number = 0;  ///< from 1; 0 while nothing has been received
    std::uint32_t epoch = 0;   ///< that its header names
    HeaderKey header;          ///< HKr
    ChainKey chain;            ///< CKr
    HeaderKey next_header;     ///< NHKr
    std::uint32_t n = 0;
    std::uint32_t kept = 0;    ///< how many keys of this chain the store holds
    std::int64_t kept_at = 0;  ///< when the latest of them was made
};

/// A receiving chain that is over, kept for its late messages.
struct ClosedChain {
    std::uint32_t number = 0;
    std::uint32_t kept = 0;
    std::int64_t kept_at = 0;
    HeaderKey header;
};

/// Ascending by number. One more than may have kept keys: the latest is remembered even without any, so that
/// an envelope that is delivered again just after its chain ended is known for a duplicate.
struct ClosedChains {
    static constexpr std::size_t capacity = max_kept_chains + 1;
    std::array<ClosedChain, capacity> items{};
    std::size_t count = 0;

    [[nodiscard]] std::span<ClosedChain> all() { return std::span{items}.first(count); }
    [[nodiscard]] std::span<const ClosedChain> all() const { return std::span{items}.first(count); }
    [[nodiscard]] ClosedChain* find(std::uint32_t number);
    void push(const ClosedChain& chain) { items.at(count++) = chain; }
    void remove(std::uint32_t number);
};

enum class EpochStage : std::uint8_t {
    idle = 0,
    offered = 1,   ///< we decapsulate; the key is on its way
    ready = 2,     ///< we have decapsulated; our next chain enters the epoch
    answered = 3,  ///< we have encapsulated; the peer's next chain may enter it
};

/// Where the next post-quantum epoch stands: docs/protocol.md 7.5.
struct Epochs {
    EpochStage stage = EpochStage::idle;
    Array<64> seed{};            ///< offered: the key pair, d ‖ z
    EpochSecret secret;          ///< ready, answered
    std::uint32_t sealed = 0;    ///< messages of the present sending chain since the frame has to go out
    std::uint32_t messages = 0;  ///< sealed and opened in this epoch
    std::int64_t since_ms = 0;   ///< when this epoch began
};

struct Session::State {
    SessionId id{};
    bool initiator = false;
    bool weak_start = false;
    /// The peer's chain has turned and ours has not: the next seal draws DHs, which until then is zero.
    bool turn_due = false;
    std::uint32_t epoch = 0;  ///< the last whose secret has entered the root
    RootKey root;
    RatchetSecret own_secret;  ///< DHs
    Array<32> own_public{};
    Array<32> peer_public{};  ///< DHr
    SendingChain sending;
    ReceivingChain receiving;
    ClosedChains closed;
    Epochs epochs;
    /// In `answered`: the frame 03 that goes out, complete; otherwise null.
    std::shared_ptr<const Bytes> answer;
    /// Repeated in every envelope until the first reply; null afterwards and for the responder.
    std::shared_ptr<const Bytes> handshake;

    State() = default;
    State(State&&) = delete;
    State& operator=(const State&) = delete;
    State& operator=(State&&) = delete;
    ~State();
    [[nodiscard]] std::unique_ptr<State> clone() const { return std::unique_ptr<State>{new State{*this}}; }

  private:
    State(const State&) = default;
};

/// Session's constructor and its state, for those who may include this header.
struct SessionAccess {
    static Session wrap(std::unique_ptr<Session::State> state) { return Session{std::move(state)}; }
    static const Session::State& state(const Session& session) { return *session.state_; }
};

}  // namespace sotto::crypto
