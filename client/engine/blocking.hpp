// Who may no longer write to us. Whoever is blocked or removed knows our shared token, so it is replaced in
// the same transaction, and everybody else is told the new one. docs/protocol.md section 13.10.
#pragma once

#include "outbox.hpp"

namespace sotto::client {

class Blocking {
  public:
    Blocking(Core& core, Outbox& outbox, RecordChecks& checks)
        : core_(&core), outbox_(&outbox), checks_(&checks) {}

    // Each is one transaction. Nothing, or why it can't be done; a contact that is as wanted already stays
    // so. All throw StoreFailure.

    /// Our tokens are new and theirs is gone from the table, what waited for them is dropped, and what they
    /// sent that nobody has read yet is not shown.
    [[nodiscard]] std::optional<Error> block(std::int64_t contact);
    /// They get a recovery token that they never had.
    [[nodiscard]] std::optional<Error> unblock(std::int64_t contact);
    /// Contact, conversation and sessions are gone, and our shared token is new.
    [[nodiscard]] std::optional<Error> remove(std::int64_t contact);

  private:
    void drop_outbox(std::int64_t contact);
    void hide_unshown(std::int64_t contact);

    Core* core_;
    Outbox* outbox_;
    RecordChecks* checks_;
};

[[nodiscard]] Error is_blocked(const storage::Contact& contact);

}  // namespace sotto::client
