#include "sotto/crypto/invite.hpp"

#include "labels.hpp"

namespace sotto::crypto {

InviteId invite_id(const InviteSecret& secret) {
    const auto whole = mac(secret.expose(), labels::invite_id, {});
    InviteId id;
    std::copy_n(whole.begin(), id.size(), id.begin());
    return id;
}

Token invite_token(const InviteSecret& secret) {
    Token token;
    mac(secret.expose(), labels::invite_token, {}, token.writable());
    return token;
}

TokenHash token_hash(const Token& token) {
    return hash(labels::token, {token.expose()});
}

Array<32> account_fingerprint(const AccountKey& key) {
    return hash(labels::account_fingerprint, {key.encode()});
}

}  // namespace sotto::crypto
