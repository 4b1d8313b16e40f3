#include "keyserver/core/access.hpp"

#include <algorithm>
#include <set>

#include "sotto/crypto/hash.hpp"

namespace sotto::keyserver {
namespace {

constexpr crypto::Label claim_label = "Sotto/1/invite-claim";

}  // namespace

Answer<Proof> read_credential(const wire::Credential& credential) {
    Proof proof;
    if (!credential.token().empty()) {
        if (credential.token().size() != protocol::token_size) return refuse(wire::FAILURE_MALFORMED);
        proof.token =
            crypto::token_hash(crypto::Token{FixedView<protocol::token_size>{bytes_of(credential.token())}});
    }
    if (!credential.claim().empty()) {
        if (!proof.token || credential.claim().size() != protocol::claim_size)
            return refuse(wire::FAILURE_MALFORMED);
        proof.claim = crypto::hash(claim_label, {bytes_of(credential.claim())});
    }
    return proof;
}

Access::Access(const Clock& clock, const Limits& limits)
    : clock_(&clock),
      request_box_(limits.request_box_burst, limits.request_box_per_second, limits::limited_targets) {}

void Access::retune(const Limits& limits) {
    request_box_.retune(limits.request_box_burst, limits.request_box_per_second);
}

Access::Found Access::look_up(Stores& stores, const std::string& user, const Proof& proof) {
    // An account that doesn't exist costs the same two look-ups as one that does, and one that was shut out
    // answers as if it did not.
    auto account = stores.accounts.find(user).value_or(AccountRow{});
    if (!account.active) account = {};
    return {.account = account, .token = stores.tokens.find(account.id, proof.token.value_or(TokenHash{}))};
}

Answer<void> Access::check(Stores& stores, AccountId account, TokenRow& token, const Proof& proof) const {
    const bool expired = token.expires != 0 && token.expires <= unix_seconds(*clock_);
    if (token.kind != TokenKind::invite) {
        if (expired) return refuse(wire::FAILURE_REFUSED);
        return {};
    }
    if (!proof.claim) return refuse(wire::FAILURE_MALFORMED);
    if (token.claim_hash && !crypto::equal_constant_time(*token.claim_hash, *proof.claim))
        return refuse(wire::FAILURE_TOKEN_USED);
    if (expired) return refuse(wire::FAILURE_TOKEN_EXPIRED);
    if (!token.claim_hash) {
        token.claim_hash = proof.claim;
        stores.tokens.update(account, token);
    }
    return {};
}

Answer<Granted> Access::to_fetch(Stores& stores, const std::string& user, const Proof& proof,
                                 AccountId self) {
    auto found = look_up(stores, user, proof);
    if (found.account.id == 0) return refuse(wire::FAILURE_REFUSED);
    if (found.account.id == self) return Granted{.account = self, .by_credential = true};
    if (found.token) {
        const auto checked = check(stores, found.account.id, *found.token, proof);
        if (!checked) return std::unexpected(checked.error());
        return Granted{.account = found.account.id, .by_credential = true};
    }
    if (found.account.discoverable) return Granted{.account = found.account.id, .by_credential = false};
    return refuse(wire::FAILURE_REFUSED);
}

Answer<Granted> Access::to_deliver(Stores& stores, const std::string& user, const Proof& proof,
                                   bool handshake, std::size_t size) {
    auto found = look_up(stores, user, proof);
    const auto account = found.account.id;
    if (account == 0) return refuse(wire::FAILURE_REFUSED);
    if (!found.token) {
        if (!found.account.discoverable || !handshake) return refuse(wire::FAILURE_REFUSED);
        if (!request_box_.take(account, clock_->steady_ms()))
            return refuse(wire::FAILURE_RATE, request_box_.wait_ms(account));
        return Granted{.account = account, .by_credential = false};
    }
    auto& token = *found.token;
    const auto checked = check(stores, account, token, proof);
    if (!checked) return std::unexpected(checked.error());
    Granted granted{.account = account, .by_credential = true};
    switch (token.kind) {
        case TokenKind::shared:
            return granted;
        case TokenKind::recovery: {
            if (size > limits::recovery_envelope_size) return refuse(wire::FAILURE_TOO_LARGE);
            const auto today = unix_day(*clock_);
            if (token.uses_day != today) token.uses = 0;
            if (token.uses >= limits::recovery_envelopes_a_day)
                return refuse(wire::FAILURE_RATE,
                              static_cast<std::uint32_t>(day_ms - clock_->unix_ms() % day_ms));
            token.uses_day = today;
            break;
        }
        case TokenKind::invite:
            if (!handshake) return refuse(wire::FAILURE_REFUSED);
            if (token.uses >= limits::invite_envelopes) return refuse(wire::FAILURE_TOKEN_USED);
            break;
    }
    ++token.uses;
    granted.used = token;
    return granted;
}

Answer<std::vector<TokenRow>> Access::read_tokens(const wire::SetTokens& request) {
    if (request.tokens_size() > static_cast<int>(protocol::max_tokens))
        return refuse(wire::FAILURE_TOO_LARGE);
    std::vector<TokenRow> tokens;
    std::set<TokenHash> seen;
    std::size_t shared = 0;
    for (const auto& entry : request.tokens()) {
        const bool known = entry.kind() == wire::TOKEN_KIND_SHARED ||
                           entry.kind() == wire::TOKEN_KIND_RECOVERY ||
                           entry.kind() == wire::TOKEN_KIND_INVITE;
        if (!known || entry.hash().size() != std::tuple_size_v<TokenHash>)
            return refuse(wire::FAILURE_MALFORMED);
        TokenHash hash;
        std::ranges::copy(bytes_of(entry.hash()), hash.begin());
        const auto kind = static_cast<TokenKind>(entry.kind());
        constexpr std::uint64_t latest = 1ULL << 40U;  // the store counts with signed integers
        if (!seen.insert(hash).second || entry.expires() > latest) return refuse(wire::FAILURE_MALFORMED);
        if (kind == TokenKind::invite && entry.expires() == 0) return refuse(wire::FAILURE_MALFORMED);
        if (kind == TokenKind::shared && ++shared > limits::shared_tokens)
            return refuse(wire::FAILURE_TOO_LARGE);
        tokens.push_back({.hash = hash, .kind = kind, .expires = entry.expires(), .claim_hash = {}});
    }
    return tokens;
}

}  // namespace sotto::keyserver
