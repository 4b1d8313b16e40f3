// What waits to be sent: a lane a contact, in order. A content is queued with the change that made it; it is
// sealed once, committed with the session's next state, and only then leaves. The same bytes leave again
// until the server has answered.
#pragma once

#include <deque>

#include "content.hpp"
#include "credential.hpp"
#include "records.hpp"

namespace sotto::client {

/// An envelope that the server takes for a recovery token has at most so many bytes (section 12.5).
inline constexpr std::size_t recovery_envelope_limit = 4096;

class Outbox {
  public:
    Outbox(Core& core, Deliveries& deliveries, RecordChecks& checks)
        : core_(&core), deliveries_(&deliveries), checks_(&checks) {}

    /// What the store holds from before.
    void load();

    // ---- within the caller's transaction ----
    /// Fills the fields that every content has, queues it and counts the contact's sequence on.
    struct Queued {
        storage::MessageId id{};
        std::uint64_t sequence = 0;
    };
    [[nodiscard]] Queued queue(storage::Contact& contact, content::Content content,
                               bool needs_acknowledgement);
    /// A content of no kind, with our tokens.
    [[nodiscard]] storage::MessageId queue_tokens(storage::Contact& contact);

    /// rekey.cpp: a person has accepted the record that the contact holds now. What was not acknowledged is
    /// prepared to be sealed anew; its ids, in order. `other_account`: whoever has the key knows nothing of
    /// what was said so far, so both sides count from 1.
    [[nodiscard]] std::vector<storage::MessageId> requeue(storage::Contact& contact, bool other_account);

    // ---- after the commit ----
    /// All of the contact's lane begins anew with these; answers to what left before are passed over.
    void requeued(std::int64_t contact, const std::vector<storage::MessageId>& ids);
    void queued(std::int64_t contact, const storage::MessageId& id) { lanes_[contact].queue.push_back(id); }
    /// Acknowledged end to end: nothing more to send.
    void settled(std::int64_t contact, const storage::MessageId& id);
    /// One that nobody waits for has no sense any more: it does not leave, or not again.
    void withdraw(std::int64_t contact, const storage::MessageId& id);
    /// Its outbox has been dropped.
    void forget(std::int64_t contact);
    /// The contact's endpoint, tokens, record or session are others now: what was waiting is tried again.
    void contact_changed(std::int64_t contact);
    /// Nothing of this contact is on its way or being begun.
    [[nodiscard]] bool quiet(std::int64_t contact) const;
    /// The contact's part of the store's outbox was reopened: all of it leaves again, not before `wait` ms.
    void reload(std::int64_t contact, std::int64_t wait = 0);
    /// Acknowledgements are owed; they leave together, soon.
    void owe();
    void owe_now();

    void pump();
    [[nodiscard]] std::optional<std::int64_t> next_deadline() const;
    [[nodiscard]] bool idle() const;
    /// The store failed: what the lanes believe to be in flight stays, new work waits.
    void pause(std::int64_t until) { paused_until_ = until; }
    void stop();

  private:
    struct Lane {
        std::deque<storage::MessageId> queue;  ///< not accepted by a server, in order
        std::size_t sent = 0;                  ///< the first so many are on their way …
        std::size_t unanswered = 0;            ///< … and so many of them have no answer yet
        bool draining = false;                 ///< one was refused: begin again when the others are answered
        std::vector<storage::MessageId> withdrawn;  ///< of those on their way: not to be sent again
        bool fetching = false;                      ///< prekeys are on their way
        bool shared_refused = false;
        bool stuck = false;  ///< nothing to try before something changes
        std::int64_t not_before = 0;
        Backoff backoff;
        int warned = 0;          ///< failure code that was told
        bool direct = false;     ///< what is on its way goes over a direct path
        std::uint32_t life = 0;  ///< answers to what an earlier key got are passed over
        std::optional<Route> route;
        std::optional<crypto::AccountRecord> pinned;  ///< as it was when prekeys were asked for
        std::optional<storage::SessionRow> fresh;  ///< begun, not committed: nothing has been sealed with it
    };
    struct Ready {
        std::int64_t id = 0;
        Connection* connection = nullptr;  ///< null: over the direct path
        storage::Contact contact;
    };
    struct Outgoing {
        std::int64_t contact = 0;
        storage::OutboxItem item;
        bool fresh = false;  ///< sealed just now
    };
    struct Accepted {
        std::int64_t contact = 0;
        storage::MessageId id{};
        bool pushed = false;
    };

    [[nodiscard]] std::optional<Ready> prepare(std::int64_t id, Lane& lane);
    /// Over the direct path to this contact, if there is one: no token is needed there and no server.
    [[nodiscard]] bool goes_direct(std::int64_t id, const Lane& lane) const;
    void seal_lane(Ready& ready, std::vector<Outgoing>& out, std::vector<storage::SessionRow>& sessions);
    void deliver(const Ready& ready, const storage::OutboxItem& item);
    void answered(std::int64_t contact, const storage::MessageId& id, Right right, std::size_t size,
                  const wire::Reply* reply);
    void refused(std::int64_t id, Lane& lane, Right right, std::size_t size, const wire::Failure& failure);
    void give_up(std::int64_t contact, const storage::MessageId& id);
    void write_accepted(std::vector<Notice>& notices);
    void write_acknowledgements();

    // prekeys and sessions (sessions of ours are begun here)
    void fetch_prekeys(std::int64_t id, Lane& lane, const storage::Contact& contact, Connection& connection);
    void prekeys_answered(std::int64_t id, Right right, const wire::Reply* reply);
    void begin_session(std::int64_t id, Lane& lane, storage::Contact contact, const wire::Prekeys& prekeys);
    void distrust(std::int64_t id, Lane& lane, Error error);
    // recovery.cpp
    /// The shared token was refused: puts what the recovery token may carry at the head of the lane. False:
    /// nothing may leave now.
    [[nodiscard]] bool recover(std::int64_t id, Lane& lane, storage::Contact& contact);
    void await_tokens(std::int64_t id, Lane& lane, const storage::Contact& contact);
    /// Nothing of it is on its way any more.
    static void begin_again(Lane& lane);
    void wait(Lane& lane, std::int64_t first, std::int64_t most, std::int64_t at_least = 0);

    Core* core_;
    Deliveries* deliveries_;
    RecordChecks* checks_;
    std::map<std::int64_t, Lane> lanes_;
    std::vector<Accepted> accepted_;  ///< by a server, not yet written
    std::int64_t accepted_at_ = 0;
    std::optional<std::int64_t> acknowledge_at_;
    std::int64_t paused_until_ = 0;
};

}  // namespace sotto::client
