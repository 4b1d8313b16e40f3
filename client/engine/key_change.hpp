// A contact under whose name another key has appeared: how that is kept and told until a person has decided.
#pragma once

#include "core.hpp"

namespace sotto::client {

/// A line in a conversation that is our own and was never sent: no field of protobuf has this number.
inline constexpr std::uint32_t kind_notice = storage::kind_notice;

/// Another account key, or two records of one number: nothing is sent until a person has decided. Keeps the
/// other record (empty: only its hash is known) and how the contact stood, and puts a line into the
/// conversation. In the caller's transaction; what it returns is to be told after the commit. A contact who
/// has changed already stays with the first other record: what a person is comparing is not swapped under
/// them.
[[nodiscard]] std::vector<Notice> set_changed(Core& core, storage::Contact& contact, ByteView other_record);

/// The sentence for everything that is refused meanwhile; names both ways to decide.
[[nodiscard]] Error changed_key(const storage::Contact& contact);

/// How a contact stood before another key appeared.
struct Standing {
    storage::ContactState state = storage::ContactState::confirmed;
    storage::Verified verified = storage::Verified::no;
};
[[nodiscard]] Standing standing_before(storage::ClientStore& store, std::int64_t contact);

/// A person has decided against this record.
void remember_rejected(storage::ClientStore& store, std::int64_t contact, ByteView record);
[[nodiscard]] bool was_rejected(storage::ClientStore& store, std::int64_t contact, ByteView record);

/// Puts a line of our own into a conversation; its row. In the caller's transaction.
[[nodiscard]] std::int64_t add_notice(Core& core, const storage::Contact& contact, std::string text,
                                      bool shown);

/// "2027-01-15", UTC.
[[nodiscard]] std::string date_of(std::int64_t ms);

}  // namespace sotto::client
