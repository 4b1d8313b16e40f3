// Who may fetch from an account and deliver to it: tokens, claims, and what a discoverable account grants to
// anyone. docs/protocol.md section 12.5.
#pragma once

#include <optional>
#include <string>

#include "keyserver/core/answer.hpp"
#include "keyserver/core/bucket.hpp"
#include "keyserver/core/limits.hpp"
#include "keyserver/core/stores.hpp"

namespace sotto::keyserver {

/// As it came, already hashed: nothing behind this sees a token.
struct Proof {
    std::optional<TokenHash> token;
    std::optional<Array<32>> claim;
};

/// The fields of a Credential; malformed where a length is wrong.
[[nodiscard]] Answer<Proof> read_credential(const wire::Credential& credential);

struct Granted {
    AccountId account = 0;
    bool by_credential = false;                   ///< otherwise only because the account is discoverable
    std::optional<TokenRow> used = std::nullopt;  ///< to be written once the envelope is in the mailbox
};

class Access {
  public:
    Access(const Clock& clock, const Limits& limits);
    /// To be called by work on the store, as all that follows.
    void retune(const Limits& limits);

    /// `self`: the account that is logged in on the asking connection, 0 for none.
    [[nodiscard]] Answer<Granted> to_fetch(Stores& stores, const std::string& user, const Proof& proof,
                                           AccountId self);
    /// `handshake`: the envelope says that it begins a session.
    [[nodiscard]] Answer<Granted> to_deliver(Stores& stores, const std::string& user, const Proof& proof,
                                             bool handshake, std::size_t size);
    /// Replaces the account's tokens; malformed unless they keep the rules of section 12.5.
    [[nodiscard]] static Answer<std::vector<TokenRow>> read_tokens(const wire::SetTokens& request);

  private:
    struct Found {
        AccountRow account;
        std::optional<TokenRow> token;
    };
    [[nodiscard]] static Found look_up(Stores& stores, const std::string& user, const Proof& proof);
    /// Binds an invite to its first claim; refuses another one, and what has expired.
    [[nodiscard]] Answer<void> check(Stores& stores, AccountId account, TokenRow& token,
                                     const Proof& proof) const;

    const Clock* clock_;
    Buckets<AccountId, std::hash<AccountId>> request_box_;
};

}  // namespace sotto::keyserver
