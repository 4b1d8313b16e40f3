#include "keyserver/store/sql_tokens.hpp"

#include <set>

namespace sotto::keyserver {

std::optional<TokenRow> SqlTokens::find(AccountId account, const TokenHash& hash) {
    auto row = sql_->query(
        "SELECT kind, expires, claim, uses, uses_day FROM tokens WHERE account = ?1 AND hash = ?2", account,
        ByteView{hash});
    if (!sql_->step(row)) return std::nullopt;
    TokenRow out{.hash = hash,
                 .kind = static_cast<TokenKind>(row.integer(0)),
                 .expires = static_cast<std::uint64_t>(row.integer(1)),
                 .claim_hash = {},
                 .uses = row.integer(3),
                 .uses_day = static_cast<std::uint32_t>(row.integer(4))};
    if (row.integer(0) < 1 || row.integer(0) > 3) sql_->damaged("tokens.kind");
    if (!row.is_null(2) && !row.fixed(2, std::span{out.claim_hash.emplace()})) sql_->damaged("tokens.claim");
    return out;
}

void SqlTokens::replace(AccountId account, const std::vector<TokenRow>& tokens) {
    std::set<TokenHash> gone;
    {
        auto row = sql_->query("SELECT hash FROM tokens WHERE account = ?1", account);
        while (sql_->step(row)) {
            TokenHash hash{};
            if (!row.fixed(0, std::span{hash})) sql_->damaged("tokens.hash");
            gone.insert(hash);
        }
    }
    for (const auto& token : tokens) {
        gone.erase(token.hash);
        sql_->run(
            "INSERT INTO tokens (account, hash, kind, expires) VALUES (?1, ?2, ?3, ?4) "
            "ON CONFLICT (account, hash) DO UPDATE SET kind = ?3, expires = ?4 "
            "WHERE kind <> ?3 OR expires <> ?4",
            account, ByteView{token.hash}, token.kind, token.expires);
    }
    for (const auto& hash : gone)
        sql_->run("DELETE FROM tokens WHERE account = ?1 AND hash = ?2", account, ByteView{hash});
}

void SqlTokens::update(AccountId account, const TokenRow& token) {
    std::optional<ByteView> claim;
    if (token.claim_hash) claim = *token.claim_hash;
    sql_->run("UPDATE tokens SET claim = ?3, uses = ?4, uses_day = ?5 WHERE account = ?1 AND hash = ?2",
              account, ByteView{token.hash}, claim, token.uses, token.uses_day);
}

std::vector<TokenHash> SqlTokens::shared(AccountId account) {
    auto row = sql_->query("SELECT hash FROM tokens WHERE account = ?1 AND kind = ?2 AND expires = 0",
                           account, TokenKind::shared);
    std::vector<TokenHash> out;
    while (sql_->step(row))
        if (!row.fixed(0, std::span{out.emplace_back()})) sql_->damaged("tokens.hash");
    return out;
}

void SqlInvites::add(const InviteRow& invite) {
    sql_->run("INSERT INTO invites (hash, expires, tries, created) VALUES (?1, ?2, ?3, ?4)",
              ByteView{invite.hash}, invite.expires, invite.tries, invite.created);
}

std::optional<InviteRow> SqlInvites::find(const Array<32>& hash) {
    auto row = sql_->query("SELECT expires, tries, created FROM invites WHERE hash = ?1", ByteView{hash});
    if (!sql_->step(row)) return std::nullopt;
    return InviteRow{.hash = hash,
                     .expires = static_cast<std::uint64_t>(row.integer(0)),
                     .tries = row.integer(1),
                     .created = static_cast<std::uint64_t>(row.integer(2))};
}

void SqlInvites::set_tries(const Array<32>& hash, std::int64_t tries) {
    sql_->run("UPDATE invites SET tries = ?2 WHERE hash = ?1", ByteView{hash}, tries);
}

void SqlInvites::remove(const Array<32>& hash) {
    sql_->run("DELETE FROM invites WHERE hash = ?1", ByteView{hash});
}

void SqlInvites::remove_expired(std::uint64_t now_s) {
    sql_->run("DELETE FROM invites WHERE expires <= ?1", now_s);
}

}  // namespace sotto::keyserver
