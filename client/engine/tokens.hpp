// The account's token table as the server should hold it: the shared token, a recovery token a contact, open
// invites.
#pragma once

#include "sotto/storage/client_store.hpp"
#include "wire.hpp"

namespace sotto::client {

struct TokenTable {
    wire::SetTokens frame;
    Array<32> digest{};  ///< of the entries, in their order
};

/// Throws StoreFailure.
[[nodiscard]] TokenTable token_table(storage::ClientStore& store, const storage::Identity& identity,
                                     std::int64_t now);

/// An invite stays in the table after its first use, until its user has our tokens: further messages that
/// were on their way need it. To be called in the transaction that uses the invite. Throws StoreFailure.
void keep_used_invite(storage::ClientStore& store, const crypto::InviteId& id);

/// The digest that the server has confirmed. Throws StoreFailure.
[[nodiscard]] std::optional<Array<32>> confirmed_tokens(storage::ClientStore& store);
void confirm_tokens(storage::ClientStore& store, const Array<32>& digest);

}  // namespace sotto::client
