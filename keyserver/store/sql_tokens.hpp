#pragma once

#include "keyserver/core/stores.hpp"
#include "keyserver/store/sql.hpp"

namespace sotto::keyserver {

class SqlTokens final : public TokenStore {
  public:
    explicit SqlTokens(Sql& sql) : sql_(&sql) {}
    std::optional<TokenRow> find(AccountId account, const TokenHash& hash) override;
    void replace(AccountId account, const std::vector<TokenRow>& tokens) override;
    void update(AccountId account, const TokenRow& token) override;
    std::vector<TokenHash> shared(AccountId account) override;

  private:
    Sql* sql_;
};

class SqlInvites final : public InviteStore {
  public:
    explicit SqlInvites(Sql& sql) : sql_(&sql) {}
    void add(const InviteRow& invite) override;
    std::optional<InviteRow> find(const Array<32>& hash) override;
    void set_tries(const Array<32>& hash, std::int64_t tries) override;
    void remove(const Array<32>& hash) override;
    void remove_expired(std::uint64_t now_s) override;

  private:
    Sql* sql_;
};

}  // namespace sotto::keyserver
