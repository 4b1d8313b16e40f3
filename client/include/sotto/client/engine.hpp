// The client as a state machine without I/O of its own: events and commands in, actions and notices out.
// It reads no clock and draws no randomness but what it is given; the store is the only thing that it
// changes, and every change is one committed transaction before the action that depends on it is returned.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "sotto/client/direct.hpp"
#include "sotto/client/error.hpp"
#include "sotto/client/presence.hpp"
#include "sotto/client/transport.hpp"
#include "sotto/client/verification.hpp"
#include "sotto/crypto/random.hpp"
#include "sotto/protocol/link.hpp"
#include "sotto/storage/client_store.hpp"

namespace sotto::client {

// ---- actions: what the shell must do now, in this order ----
struct OpenConnection {
    ConnectionId id = 0;
    Purpose purpose = Purpose::identified;
    protocol::Endpoint endpoint;
};
struct SendFrame {
    ConnectionId id = 0;
    Bytes frame;
};
struct CloseConnection {
    ConnectionId id = 0;
};
using Action = std::variant<OpenConnection, SendFrame, CloseConnection>;

// ---- notices: what a person or a program may want to know ----
struct LoggedIn {
    std::uint32_t waiting = 0;        ///< envelopes in the mailbox
    std::uint32_t one_time_left = 0;  ///< prekeys of ours at the server, before what is published now
    std::uint32_t one_time_kem_left = 0;
};
struct LostServer {
    NetworkError error = NetworkError::closed;
    std::int64_t retry_at = 0;  ///< ms
    std::string sentence;
};
struct MessageArrived {
    std::int64_t contact = 0;
    std::int64_t row = 0;       ///< of the committed message
    std::uint64_t missing = 0;  ///< contents of this sender just before it that have not come (yet)
};
struct MessageProgress {
    std::int64_t contact = 0;
    storage::MessageId id{};
    storage::MessageState state = storage::MessageState::queued;
};
struct ContactChanged {
    std::int64_t contact = 0;  ///< joined by a link, confirmed, key changed …
    storage::ContactState state = storage::ContactState::claimed;
};
/// Something that a person must hear of: exit code and sentence.
struct Warning {
    Error error;
    std::int64_t contact = 0;  ///< 0: not about one
};
/// A contact shows something else of themselves, or nothing any more.
struct PresenceChanged {
    std::int64_t contact = 0;
    PresenceView view;
};
/// A contact is reached another way now.
struct DirectChanged {
    std::int64_t contact = 0;
    DirectView view;
};
/// The mailbox is read to its end, and what it asked for has been answered.
struct CaughtUp {};
using Notice = std::variant<LoggedIn, LostServer, MessageArrived, MessageProgress, ContactChanged, Warning,
                            CaughtUp, PresenceChanged, DirectChanged>;

struct Output {
    std::vector<Action> actions;
    std::vector<DirectAction> paths;  ///< only after go_direct()
    std::vector<Notice> notices;
};

/// Times in ms.
struct EngineConfig {
    std::int64_t delivery_idle = 60'000;   ///< an anonymous connection without work is closed after this
    std::int64_t acknowledge_after = 300;  ///< longest wait of an owed acknowledgement (≤ 30 s), jittered
    std::int64_t request_timeout = 15'000;
    std::int64_t backoff_first = 500;  ///< reconnects: doubled each time, jittered by half
    std::int64_t backoff_most = 60'000;
    std::int64_t ping_every = 30'000;
};

class Engine {
  public:
    /// The store holds a registered identity.
    [[nodiscard]] static Result<Engine> create(storage::ClientStore& store, crypto::Rng& rng,
                                               const EngineConfig& config);
    Engine(Engine&&) noexcept;
    Engine& operator=(Engine&&) noexcept;
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;
    ~Engine();

    // ---- driving it; `now` in ms since 1970 ----
    /// Logs in, keeps prekeys published, reads the mailbox, sends the outbox; stays connected until stop().
    [[nodiscard]] Output start(std::int64_t now);
    /// No identified connection: only sends what the outbox holds.
    [[nodiscard]] Output start_sending(std::int64_t now);
    [[nodiscard]] Output handle(NetworkEvent event, std::int64_t now);
    [[nodiscard]] Output tick(std::int64_t now);
    /// When tick() wants to be called, at the latest.
    [[nodiscard]] std::optional<std::int64_t> next_deadline() const;
    /// Owed acknowledgements go out at once.
    [[nodiscard]] Output flush(std::int64_t now);
    /// Nothing is in flight: every owed acknowledgement and queued envelope has been answered or can't be
    /// sent now.
    [[nodiscard]] bool idle() const;
    [[nodiscard]] bool logged_in() const;
    [[nodiscard]] Output stop(std::int64_t now);

    // ---- commands ----
    /// Queues a text (1 to 65,536 bytes of UTF-8) in the outbox, committed; it leaves when it can.
    /// Errors: input (empty, too long, not UTF-8, unknown contact), untrusted (contact's key has changed).
    struct Queued {
        storage::MessageId id{};
        Output output;
    };
    [[nodiscard]] Result<Queued> send_text(std::int64_t contact, std::string_view text, std::int64_t now);
    /// A new single-use link, committed; it works once `tokens_published()`.
    struct Invited {
        protocol::ContactLink link;
        Output output;
    };
    [[nodiscard]] Result<Invited> make_invite(std::int64_t now);
    /// True once the server has confirmed, since the last log-in, the token table that is in the store.
    [[nodiscard]] bool tokens_published() const;
    /// Fetches the inviter's record with the link, checks the fingerprint, makes the contact and its first
    /// envelope. Ends in ContactChanged (joining) or Warning; a server that can't be reached ends it too.
    /// Needs no log-in. Errors: input (own link, already a contact, name taken or out of shape).
    [[nodiscard]] Result<Output> join(const protocol::ContactLink& link, std::string_view name,
                                      std::int64_t now);

    /// Nothing of the contact's is taken in any more and nothing sent to them; our shared token is another,
    /// and everybody else is told. Committed; nothing of theirs reaches the mailbox once
    /// `tokens_published()`. What waited for them is dropped. One who is blocked already stays so. Errors:
    /// input (unknown contact).
    [[nodiscard]] Result<Output> block(std::int64_t contact, std::int64_t now);
    /// They are sent a right to write to us again. Errors: input (unknown contact).
    [[nodiscard]] Result<Output> unblock(std::int64_t contact, std::int64_t now);
    /// The contact with messages, sessions and keys is gone, and like one who is blocked can't write to us
    /// any more. Errors: input (unknown contact).
    [[nodiscard]] Result<Output> remove(std::int64_t contact, std::int64_t now);
    /// True until our server has confirmed the shared token that was made for the last of these: whoever
    /// knows the one before can still write to the mailbox.
    [[nodiscard]] bool rotation_untold() const;

    // ---- safety numbers and keys; none of these needs a connection ----
    /// Errors of all four: input (no such contact).
    [[nodiscard]] Result<SafetyNumbers> safety_numbers(std::int64_t contact);
    /// Compared with the pinned key's number: committed. Errors: input (no safety number), untrusted (another
    /// one: the contact is not verified any more, however that came about; or the contact is `changed`).
    [[nodiscard]] Result<Output> verify(std::int64_t contact, const Comparison& comparison, std::int64_t now);
    /// The decision for the key that made a contact `changed`: it is pinned, verified only if its number was
    /// compared; sessions under the old key are deleted, and what was not acknowledged goes to the new one.
    /// Errors: input (not `changed`; no safety number), untrusted (another number, or the record is not held:
    /// nothing was changed).
    [[nodiscard]] Result<Output> accept_key(std::int64_t contact, const Comparison& comparison,
                                            std::int64_t now);
    /// The decision against it: all is as it was before. Errors: input (not `changed`).
    [[nodiscard]] Result<Output> reject_key(std::int64_t contact, std::int64_t now);

    // ---- presence ----
    /// Follows what contacts show, and with `publish` shows what was chosen, until stop(). Contacts are given
    /// what they find us by the first time that we publish.
    [[nodiscard]] Output go_online(bool publish, std::int64_t now);
    /// Committed. Errors: input (a text over 128 bytes or not UTF-8).
    [[nodiscard]] Result<Output> choose_presence(PresenceChoice choice, std::string_view text,
                                                 std::int64_t now);
    [[nodiscard]] Result<ChosenPresence> chosen_presence();
    /// The person is not at the machine, or is again: `online` is shown as away meanwhile.
    [[nodiscard]] Output set_idle(bool idle, std::int64_t now);
    /// Whether this contact may see our status; committed. Errors: input (unknown contact).
    [[nodiscard]] Result<Output> set_visible(std::int64_t contact, bool visible, std::int64_t now);
    [[nodiscard]] PresenceView presence(std::int64_t contact) const;
    /// Every server has said who is there, or can't be asked.
    [[nodiscard]] bool presence_settled() const;

    // ---- direct sessions ----
    /// From now on there is a transport for them: contacts who may learn our address are reached directly
    /// wherever that works. Everything else goes by the server, as before.
    [[nodiscard]] Output go_direct(std::int64_t now);
    [[nodiscard]] Output handle(DirectEvent event, std::int64_t now);
    [[nodiscard]] Result<DirectPolicy> direct_policy();
    /// Committed; a path to one who may no longer have it ends.
    [[nodiscard]] Result<Output> set_direct_policy(DirectPolicy policy, std::int64_t now);
    /// For one contact. Errors: input (unknown contact).
    [[nodiscard]] Result<Output> set_direct(std::int64_t contact, storage::DirectChoice choice,
                                            std::int64_t now);
    /// Tries at once, whatever is known of the other side. Errors: input (unknown contact, one who may not
    /// learn our address, nothing said yet).
    [[nodiscard]] Result<Output> try_direct(std::int64_t contact, std::int64_t now);
    [[nodiscard]] DirectView direct(std::int64_t contact) const;
    /// Whether the router is asked by UPnP to let paths in; off unless chosen. Committed.
    [[nodiscard]] Result<bool> upnp();
    [[nodiscard]] Result<Output> set_upnp(bool yes, std::int64_t now);

    // ---- what is known ----
    [[nodiscard]] std::string connection_summary() const;

  private:
    struct Impl;
    explicit Engine(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace sotto::client
