// Single-use contact links and what is derived from their secret. docs/protocol.md section 9.
#pragma once

#include "sotto/crypto/hash.hpp"
#include "sotto/crypto/keys.hpp"
#include "sotto/crypto/record.hpp"

namespace sotto::crypto {

struct InviteSecretTag;
using InviteSecret = Secret<InviteSecretTag, 32>;
using InviteId = Array<16>;
struct TokenTag;
/// A bearer secret for delivering to an account: shared, recovery or invite token.
using Token = Secret<TokenTag, 32>;
using TokenHash = Array<32>;

[[nodiscard]] InviteId invite_id(const InviteSecret& secret);
[[nodiscard]] Token invite_token(const InviteSecret& secret);

/// What the server stores of a token.
[[nodiscard]] TokenHash token_hash(const Token& token);

/// Hash of an account key that a link carries whole.
[[nodiscard]] Array<32> account_fingerprint(const AccountKey& key);

}  // namespace sotto::crypto
