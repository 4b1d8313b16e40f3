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

struct Session::State {
    SessionId id{};
    bool initiator = false;
    bool weak_start = false;
    std::uint32_t epoch = 0;
    RootKey root;
    RatchetSecret own_secret;  ///< DHs
    Array<32> own_public{};
    Array<32> peer_public{};  ///< DHr
    SendingChain sending;
    ReceivingChain receiving;
    ClosedChains closed;
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

/// Session's constructor for the sources of crypto/.
struct SessionAccess {
    static Session wrap(std::unique_ptr<Session::State> state) { return Session{std::move(state)}; }
};

}  // namespace sotto::crypto
