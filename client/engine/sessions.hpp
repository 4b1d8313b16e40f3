// All sessions in memory, newest use first: an incoming envelope is tried against each (a SipHash a header
// key). The store is changed first; this follows after the commit.
#pragma once

#include <list>

#include "sotto/storage/client_store.hpp"

namespace sotto::client {

class SessionBook {
  public:
    explicit SessionBook(std::vector<storage::SessionRow> rows);

    struct Found {
        storage::SessionRow* row = nullptr;  ///< null: no session knows the envelope
        crypto::Match match;
    };
    [[nodiscard]] Found find(const crypto::Envelope& envelope);
    /// Only this session; null if it is gone or the envelope isn't its own.
    [[nodiscard]] Found find_in(const crypto::SessionId& id, const crypto::Envelope& envelope);

    /// The session to send with, null if there is none.
    [[nodiscard]] storage::SessionRow* active(std::int64_t contact);
    [[nodiscard]] std::list<storage::SessionRow>& all() { return rows_; }
    [[nodiscard]] std::vector<storage::SessionRow*> of(std::int64_t contact, std::uint32_t device);

    /// Replaces or adds, and makes it the newest.
    void put(storage::SessionRow row);
    void set_archived(const crypto::SessionId& id, bool archived);
    /// All of a contact only receive from now on; those beyond `max_archived_sessions` a device are named in
    /// `removed`.
    struct Archived {
        std::vector<crypto::SessionId> archived;
        std::vector<crypto::SessionId> removed;
    };
    [[nodiscard]] Archived archive_all(std::int64_t contact) const;
    void remove(const crypto::SessionId& id);
    void remove_contact(std::int64_t contact);

  private:
    std::list<storage::SessionRow> rows_;
};

/// What becomes of a device's older sessions when a new one is accepted.
struct Succession {
    bool new_is_archived = false;  ///< our own crossing session sends on
    std::vector<crypto::SessionId> archive;
    std::vector<crypto::SessionId> remove;  ///< beyond the four that may stay
};
inline constexpr std::size_t max_archived_sessions = 4;

/// `existing`: the device's sessions, newest use first. A session of ours that nobody has answered crossed
/// with the new one: the lower id sends. Any other is replaced, since its peer has begun anew.
[[nodiscard]] Succession succeed(const std::vector<storage::SessionRow*>& existing,
                                 const crypto::SessionId& accepted);

}  // namespace sotto::client
