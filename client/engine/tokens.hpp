// The account's token table as the server should hold it: the shared token, a recovery token a contact, open
// invites.
#pragma once

#include "content.hpp"
#include "core.hpp"

namespace sotto::client {

struct TokenTable {
    wire::SetTokens frame;
    Array<32> digest{};  ///< of the entries, in their order
    crypto::TokenHash shared{};
};

/// Throws StoreFailure.
[[nodiscard]] TokenTable token_table(storage::ClientStore& store, const storage::Identity& identity,
                                     std::int64_t now);

/// An invite stays in the table after its first use, until its user has our tokens: further messages that
/// were on their way need it. To be called in the transaction that uses the invite. Throws StoreFailure.
void keep_used_invite(storage::ClientStore& store, const crypto::InviteId& id);

// ---- replacing the shared token ----

/// What this contact needs to write to us.
[[nodiscard]] Introduction tokens_for(const Core& core, const storage::Contact& contact);

/// The shared token of `identity` is new, and the server has to hear of it. In the caller's transaction.
void note_rotation(storage::ClientStore& store, const storage::Identity& identity);
/// False once a table with the token of `identity` was confirmed.
[[nodiscard]] bool rotation_untold(storage::ClientStore& store, const storage::Identity& identity);
/// The server has confirmed a table with this shared token.
void rotation_told(Core& core, const crypto::TokenHash& shared);

/// The content, queued for its tokens alone, that the contact has not acknowledged yet. While there is one,
/// only an acknowledgement shows that they know our tokens: they could leave the handshake away before.
/// Throws StoreFailure.
[[nodiscard]] std::optional<storage::MessageId> told_tokens(storage::ClientStore& store,
                                                            std::int64_t contact);
void note_told_tokens(storage::ClientStore& store, std::int64_t contact, const storage::MessageId& id);
/// The contact has acknowledged this content of ours: do they know our tokens now? In the caller's
/// transaction, which stores the contact.
void tokens_acknowledged(Core& core, storage::Contact& contact, const storage::OutboxItem& item);

/// True if tokens of theirs in a content of this sequence are newer than those that we hold, and then they
/// are the newest. `anew`: it began a session, and the sequence may have begun anew as well. In the caller's
/// transaction.
[[nodiscard]] bool newest_tokens(storage::ClientStore& store, std::int64_t contact, std::uint64_t sequence,
                                 bool anew);

/// What they send counts from 1 again: whatever they tell is new. In the caller's transaction.
void forget_newest_tokens(storage::ClientStore& store, std::int64_t contact);

/// The digest that the server has confirmed. Throws StoreFailure.
[[nodiscard]] std::optional<Array<32>> confirmed_tokens(storage::ClientStore& store);
void confirm_tokens(storage::ClientStore& store, const Array<32>& digest);
/// The store is a copy: what the server holds is not known.
void forget_confirmed_tokens(storage::ClientStore& store);

}  // namespace sotto::client
