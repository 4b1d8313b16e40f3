// Sessions that have to begin anew: where messages don't arrive, and after our store was restored from a
// copy. A reset is always a full handshake under the pinned keys. docs/protocol.md sections 13.7 and 13.8.
#pragma once

#include "outbox.hpp"

namespace sotto::client {

/// Something of the contact's was opened; for `heard_at` once in two hours is often enough, and an hour later
/// it still stands.
void note_heard(storage::Contact& contact, std::int64_t now);

class Repair {
  public:
    Repair(Core& core, Outbox& outbox) : core_(&core), outbox_(&outbox) {}

    /// Now and then: whose acknowledgements are overdue gets a new session, and the same contents again.
    void pump();
    /// The contact began anew: what they haven't acknowledged was sealed for a session that they may have
    /// lost.
    void begun_anew(std::int64_t contact);
    /// The server knows a newer state of this device, of number `held`: ours is a copy.
    void restored(std::uint64_t held);

    /// How new our state is. A number is committed before the server hears of it.
    [[nodiscard]] std::uint64_t generation() const;
    [[nodiscard]] std::uint64_t next_generation();

    [[nodiscard]] std::optional<std::int64_t> next_deadline() const;

  private:
    [[nodiscard]] bool may_reset(const storage::Contact& contact) const;
    void reset(std::int64_t id);
    /// In the caller's transaction.
    void archive_all(std::int64_t contact, SessionBook::Archived& out);
    void forget(const SessionBook::Archived& gone);

    Core* core_;
    Outbox* outbox_;
    std::int64_t check_at_ = 0;
};

}  // namespace sotto::client
