#include "keyserver/store/admin.hpp"

#include "keyserver/store/sql_accounts.hpp"
#include "keyserver/store/sql_tokens.hpp"

namespace sotto::keyserver {
namespace {

/// `work(Sql&)` as it is: statements that only read see what is committed, and stand in nobody's way.
template <class Work>
[[nodiscard]] auto look(storage::Database& db, const Work& work)
    -> storage::Result<std::invoke_result_t<const Work&, Sql&>> {
    Sql sql{db};
    auto value = work(sql);
    if (const auto& failure = sql.failure()) return std::unexpected(*failure);
    return storage::Result<std::invoke_result_t<const Work&, Sql&>>{std::move(value)};
}

/// `work(Sql&)` in one transaction. Beside a busy server several tries may be needed for a turn.
template <class Work>
[[nodiscard]] auto transact(storage::Database& db, const Work& work)
    -> storage::Result<std::invoke_result_t<const Work&, Sql&>> {
    constexpr int tries = 10;
    for (int left = tries - 1;; --left) {
        storage::Transaction transaction{db};
        auto value = look(db, work);
        if (value) {
            const auto committed = transaction.commit();
            if (!committed) value = std::unexpected(committed.error());
        }
        if (value || value.error().code != storage::Code::in_use || left == 0) return value;
    }
}

[[nodiscard]] storage::Result<void> without_value(const storage::Result<bool>& result) {
    if (!result) return std::unexpected(result.error());
    return {};
}

constexpr std::string_view summary_sql =
    "SELECT a.user, a.state, a.discoverable, a.created_day, "
    "(SELECT count(*) FROM devices d WHERE d.account = a.id AND d.removed = 0), "
    "(SELECT coalesce(sum(m.envelopes), 0) FROM mailboxes m WHERE m.account = a.id), "
    "(SELECT coalesce(sum(m.bytes), 0) FROM mailboxes m WHERE m.account = a.id), a.id "
    "FROM accounts a ";

[[nodiscard]] UserSummary summary(const storage::Statement& row) {
    return {.user = row.text(0),
            .state = static_cast<AccountState>(row.integer(1)),
            .discoverable = row.integer(2) != 0,
            .created_day = static_cast<std::uint32_t>(row.integer(3)),
            .devices = row.integer(4),
            .mail = {.envelopes = row.integer(5), .bytes = row.integer(6)}};
}

[[nodiscard]] std::int64_t tokens(Sql& sql, AccountId account, TokenKind kind) {
    auto row = sql.query("SELECT count(*) FROM tokens WHERE account = ?1 AND kind = ?2", account, kind);
    return sql.step(row) ? row.integer(0) : 0;
}

[[nodiscard]] std::vector<DeviceSummary> devices(Sql& sql, AccountId account) {
    auto row = sql.query(
        "SELECT d.device, d.removed, coalesce(p.signed_day, 0), "
        "(SELECT count(*) FROM one_time_prekeys o WHERE o.account = d.account AND o.device = d.device AND "
        "o.kind = "
        "0), "
        "(SELECT count(*) FROM one_time_prekeys o WHERE o.account = d.account AND o.device = d.device AND "
        "o.kind = "
        "1), "
        "coalesce(m.envelopes, 0), coalesce(m.bytes, 0) FROM devices d "
        "LEFT JOIN prekeys p ON p.account = d.account AND p.device = d.device "
        "LEFT JOIN mailboxes m ON m.account = d.account AND m.device = d.device "
        "WHERE d.account = ?1 ORDER BY d.device",
        account);
    std::vector<DeviceSummary> out;
    while (sql.step(row))
        out.push_back({.device = static_cast<std::uint32_t>(row.integer(0)),
                       .removed = row.integer(1) != 0,
                       .one_time = row.integer(3),
                       .one_time_kem = row.integer(4),
                       .signed_day = static_cast<std::uint32_t>(row.integer(2)),
                       .mail = {.envelopes = row.integer(5), .bytes = row.integer(6)}});
    return out;
}

void shut_out(Sql& sql, std::string_view name) {
    sql.run("INSERT OR IGNORE INTO shut_out (account) SELECT id FROM accounts WHERE user = ?1", name);
}

}  // namespace

storage::Result<std::vector<UserSummary>> Admin::users() {
    return look(*db_, [](Sql& sql) {
        auto row = sql.query(std::string{summary_sql} + "ORDER BY a.user");
        std::vector<UserSummary> out;
        while (sql.step(row)) out.push_back(summary(row));
        return out;
    });
}

storage::Result<std::optional<UserDetail>> Admin::user(std::string_view name) {
    return look(*db_, [&](Sql& sql) -> std::optional<UserDetail> {
        UserDetail out;
        AccountId account = 0;
        {
            auto row = sql.query(std::string{summary_sql} + "WHERE a.user = ?1", name);
            if (!sql.step(row)) return std::nullopt;
            out.summary = summary(row);
            account = row.integer(7);
        }
        out.record_sequence = SqlAccounts{sql}.newest_record(account).value_or(RecordRow{}).sequence;
        out.shared_tokens = tokens(sql, account, TokenKind::shared);
        out.recovery_tokens = tokens(sql, account, TokenKind::recovery);
        out.invite_tokens = tokens(sql, account, TokenKind::invite);
        out.devices = devices(sql, account);
        return out;
    });
}

storage::Result<bool> Admin::set_active(std::string_view name, bool active) {
    return transact(*db_, [&](Sql& sql) {
        const auto state = active ? AccountState::active : AccountState::shut_out;
        const auto changed = sql.run("UPDATE accounts SET state = ?2 WHERE user = ?1 AND state <> ?3", name,
                                     state, AccountState::deleted);
        if (changed == 0) return false;
        if (!active) shut_out(sql, name);
        return true;
    });
}

storage::Result<bool> Admin::begin_deletion(std::string_view name) {
    return transact(*db_, [&](Sql& sql) {
        const auto changed =
            sql.run("UPDATE accounts SET state = ?2 WHERE user = ?1", name, AccountState::deleted);
        if (changed > 0) shut_out(sql, name);
        return changed > 0;
    });
}

storage::Result<bool> Admin::go_on_deleting() {
    constexpr std::size_t at_once = 50;
    return transact(*db_, [](Sql& sql) { return SqlAccounts{sql}.remove_deleted(at_once); });
}

storage::Result<void> Admin::add_invite(const InviteRow& invite) {
    return without_value(transact(*db_, [&](Sql& sql) {
        SqlInvites{sql}.add(invite);
        return true;
    }));
}

storage::Result<std::vector<InviteRow>> Admin::invites(std::uint64_t now_s) {
    return look(*db_, [&](Sql& sql) {
        auto row = sql.query(
            "SELECT hash, expires, tries, created FROM invites WHERE expires > ?1 ORDER BY expires, hash",
            now_s);
        std::vector<InviteRow> out;
        while (sql.step(row)) {
            auto& invite = out.emplace_back();
            if (!row.fixed(0, std::span{invite.hash})) sql.damaged("invites.hash");
            invite.expires = static_cast<std::uint64_t>(row.integer(1));
            invite.tries = row.integer(2);
            invite.created = static_cast<std::uint64_t>(row.integer(3));
        }
        return out;
    });
}

storage::Result<bool> Admin::remove_invite(const Array<32>& hash) {
    return transact(
        *db_, [&](Sql& sql) { return sql.run("DELETE FROM invites WHERE hash = ?1", ByteView{hash}) > 0; });
}

storage::Result<bool> Admin::intact() {
    return look(*db_, [](Sql& sql) {
        auto row = sql.query("PRAGMA integrity_check(1)");
        return sql.step(row) && row.text(0) == "ok";
    });
}

storage::Result<std::uint64_t> Admin::newest_mail() {
    return look(*db_, [](Sql& sql) -> std::uint64_t {
        auto row = sql.query("SELECT stored_at FROM mail ORDER BY sequence DESC LIMIT 1");
        return sql.step(row) ? static_cast<std::uint64_t>(row.integer(0)) : 0;
    });
}

storage::Result<void> Admin::put_file(std::string_view name, ByteView content) {
    return without_value(transact(*db_, [&](Sql& sql) {
        sql.run(
            "CREATE TABLE IF NOT EXISTS backup_files (name TEXT NOT NULL PRIMARY KEY, content BLOB NOT NULL) "
            "STRICT");
        sql.run("INSERT INTO backup_files (name, content) VALUES (?1, ?2)", name, content);
        return true;
    }));
}

storage::Result<std::vector<std::pair<std::string, Bytes>>> Admin::files() {
    return look(*db_, [](Sql& sql) {
        std::vector<std::pair<std::string, Bytes>> out;
        auto known =
            sql.query("SELECT 1 FROM sqlite_schema WHERE name = ?1", std::string_view{"backup_files"});
        if (!sql.step(known)) return out;
        auto row = sql.query("SELECT name, content FROM backup_files ORDER BY name");
        while (sql.step(row)) out.emplace_back(row.text(0), row.blob(1));
        return out;
    });
}

storage::Result<void> Admin::become_store() {
    return without_value(transact(*db_, [](Sql& sql) {
        sql.run("DROP TABLE IF EXISTS backup_files");
        sql.run("DELETE FROM one_time_prekeys");
        sql.run("DELETE FROM shut_out");
        return true;
    }));
}

}  // namespace sotto::keyserver
