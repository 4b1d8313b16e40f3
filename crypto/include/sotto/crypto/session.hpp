// A session: PQXDH's result and the Double Ratchet with header encryption that grows from it.
// docs/protocol.md sections 6 (handshake), 7 (ratchet) and 8 (envelope).
//
// Nothing here changes in place: sealing and opening return the next state beside their result, and the
// caller commits the state before it sends the envelope or shows the plaintext.
#pragma once

#include <memory>
#include <optional>

#include "sotto/crypto/invite.hpp"
#include "sotto/crypto/prekeys.hpp"
#include "sotto/crypto/record.hpp"

namespace sotto::crypto {

using SessionId = Array<32>;
struct MessageKeyTag;
using MessageKey = Secret<MessageKeyTag, 32>;

inline constexpr std::uint8_t envelope_handshake = 0x11;  ///< version 1, carries a handshake part
inline constexpr std::uint8_t envelope_message = 0x12;    ///< version 1, message only
inline constexpr std::size_t max_content_size = 72 * 1024;
inline constexpr std::size_t max_envelope_size = 96 * 1024;
inline constexpr std::size_t min_envelope_size = 160;
inline constexpr std::size_t envelope_overhead = 1 + 16 + 8 + (33 + 4 + 4 + 4 + 16) + 32 + 16;  ///< 134 bytes
inline constexpr std::size_t max_kept_keys = 1000;  ///< skipped message keys of one session
inline constexpr std::size_t max_kept_chains = 5;   ///< over at most so many receiving chains
inline constexpr std::int64_t kept_key_lifetime_ms = 30LL * 24 * 3600 * 1000;

/// A skipped message key: its own row in the store (36 to 64 bytes), not part of the session record.
struct KeptKey {
    std::uint32_t chain = 0;  ///< number of the receiving chain within the session, counted from 1
    std::uint32_t n = 0;      ///< message number in that chain
    MessageKey key;
};
struct KeptKeyId {
    std::uint32_t chain = 0;
    std::uint32_t n = 0;
    bool operator==(const KeptKeyId&) const = default;
};

/// An envelope that parsed; views into the caller's buffer.
class Envelope {
  public:
    /// Bounds, type byte, fixed parts. A handshake part is only delimited here.
    [[nodiscard]] static Result<Envelope> parse(ByteView bytes);
    [[nodiscard]] bool has_handshake() const { return !handshake_.empty(); }
    [[nodiscard]] ByteView handshake() const { return handshake_; }
    [[nodiscard]] FixedView<16> salt() const { return message_.first<16>(); }
    [[nodiscard]] FixedView<8> hint() const { return message_.subspan<16, 8>(); }
    [[nodiscard]] FixedView<61> header() const { return message_.subspan<24, 61>(); }
    [[nodiscard]] FixedView<32> commitment() const { return message_.subspan<85, 32>(); }
    [[nodiscard]] ByteView body() const { return message_.subspan(117); }
    [[nodiscard]] std::uint8_t type() const { return type_; }
    /// Everything before the salt: type byte and handshake part; the header's associated data.
    [[nodiscard]] ByteView prefix() const { return prefix_; }

  private:
    Envelope() = default;
    std::uint8_t type_ = 0;
    ByteView prefix_;
    ByteView handshake_;
    ByteView message_;
};

class Session;

struct Sealed;
struct Opened;

/// Where an envelope belongs in a session; made by `Session::find`, used by `Session::open`.
struct Match {
    std::uint32_t n = 0;
    std::uint32_t previous = 0;
    std::uint32_t epoch = 0;  ///< post-quantum epoch of its chain
    Array<32> ratchet_key{};
    enum class Chain : std::uint8_t { current, next, kept } chain = Chain::current;
    std::uint32_t kept_chain = 0;  ///< number of the chain that the message belongs to
    /// The kept key that opening needs, if the message is a late one: look it up and hand it to `open`.
    std::optional<KeptKeyId> needs;
};

class Session {
  public:
    Session(Session&&) noexcept;
    Session& operator=(Session&&) noexcept;
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;
    ~Session();
    [[nodiscard]] Session clone() const;

    [[nodiscard]] const SessionId& id() const;
    [[nodiscard]] bool initiator() const;
    /// True while every envelope of ours still repeats the handshake part (until the first reply).
    [[nodiscard]] bool awaiting_reply() const;
    /// Begun without a one-time X25519 prekey, without a one-time KEM prekey, or on a signed prekey over 14
    /// days old.
    [[nodiscard]] bool weak_start() const;

    /// The post-quantum epoch of the root: 0 after the handshake, one more for each ML-KEM-768 secret that
    /// has entered it since (section 7.5).
    [[nodiscard]] std::uint32_t epoch() const;

    /// Seals `content` as the next message. What the post-quantum ratchet has to send rides beside it, placed
    /// and repeated by the session itself: up to 1,194 bytes more before padding. `now_ms`: since 1970.
    /// Error: too_large, exhausted.
    [[nodiscard]] Result<Sealed> seal(ByteView content, std::int64_t now_ms, Rng& rng) const;

    /// Does this envelope belong here? Compares the salt's hint against each header key (SipHash), and only
    /// on a match decrypts the header. cannot_open: not ours.
    [[nodiscard]] Result<Match> find(const Envelope& envelope) const;

    /// Opens it. `kept` is the key that `match.needs` named, or null if the store has none (then: duplicate).
    /// Errors: cannot_open, duplicate, gap_too_large. Nothing changes on an error.
    [[nodiscard]] Result<Opened> open(const Envelope& envelope, const Match& match, const MessageKey* kept,
                                      std::int64_t now_ms, Rng& rng) const;

    /// Chains whose keys are over 30 days old are dropped from the state; returns their numbers, for the
    /// store.
    [[nodiscard]] std::vector<std::uint32_t> drop_expired_chains(std::int64_t now_ms);

    /// Versioned layout of docs/protocol.md section 7.6; at most 1,843 bytes, plus the handshake part while
    /// it is repeated. Records of format 1, without epochs, parse too.
    [[nodiscard]] SecretBytes serialize() const;
    [[nodiscard]] static Result<Session> parse(ByteView bytes);

    struct State;

  private:
    friend struct SessionAccess;
    explicit Session(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

struct Sealed {
    Session next;
    Bytes envelope;
};

struct Opened {
    Session next;
    SecretBytes content;
    bool late = false;  ///< it was overtaken by a later message of its chain
    // Changes to the kept keys, to be made in this order, in the transaction that stores `next`:
    std::vector<std::uint32_t> dropped_chains;  ///< all kept keys of these are to be deleted
    std::vector<KeptKey> kept;                  ///< to be stored
    std::optional<KeptKeyId> used;              ///< to be deleted
};

// ---- PQXDH ----

/// This device, as the handshake binds it.
struct LocalDevice {
    const AccountRecord& record;
    std::uint32_t device;
    const IdentityKeyPair& identity;
};

/// Step I1 to I6 of docs/protocol.md section 6: a session whose first `seal` carries the handshake part.
/// The bundle is checked here. `invite` adds the proof that its secret is known. `today` in days since 1970.
[[nodiscard]] Result<Session> initiate(const LocalDevice& self, const PrekeyBundle& peer,
                                       const InviteSecret* invite, std::uint32_t today, Rng& rng);

/// The clear fields of a handshake part: which of our keys it was made for.
struct HandshakeHeader {
    std::uint32_t signed_prekey = 0;
    std::optional<std::uint32_t> one_time_prekey;
    KemPrekeyKind kem_kind = KemPrekeyKind::last_resort;
    std::uint32_t kem_prekey = 0;
    std::uint64_t record_sequence = 0;  ///< of our record that the initiator used
    Array<32> base_key{};               ///< the initiator's ephemeral key; names the handshake in repeats
    /// For the memory of accepted handshakes: hash of prekey ids and base key.
    Array<32> replay_id{};
};
[[nodiscard]] Result<HandshakeHeader> parse_handshake(const Envelope& envelope);

/// The secrets that the header names, from the store.
struct ResponderKeys {
    const SignedPrekeyPair& signed_prekey;
    const OneTimePrekeyPair* one_time_prekey;  ///< null only if the header names none
    const KemKeyPair& kem_prekey;
};

struct InviteProof {
    InviteId id{};
    Array<32> mac{};
};

struct Accepted {
    AccountRecord initiator;  ///< self-signed, parsed and verified; the address is *claimed* until fetched
    std::uint32_t device = 0;
    std::optional<InviteProof> invite;  ///< check it with `invite_proof_matches`
    Opened first;                       ///< the session (first.next) and the first content
};

/// Steps R1 to R6: everything or nothing. `self.record` must be the record with the header's sequence.
[[nodiscard]] Result<Accepted> accept(const LocalDevice& self, const ResponderKeys& keys,
                                      const Envelope& envelope, std::int64_t now_ms, Rng& rng);

/// True if the proof was made with this secret for this session.
[[nodiscard]] bool invite_proof_matches(const InviteSecret& secret, const SessionId& session,
                                        const InviteProof& proof);

/// Size of an envelope after padding: the next multiple of 160 up to 960 (1 KiB), Padmé above.
[[nodiscard]] std::size_t padded_size(std::size_t size);

}  // namespace sotto::crypto
