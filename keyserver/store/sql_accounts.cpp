#include "keyserver/store/sql_accounts.hpp"

namespace sotto::keyserver {

std::optional<AccountRow> SqlAccounts::find(std::string_view user) {
    auto row = sql_->query("SELECT id, discoverable, state FROM accounts WHERE user = ?1", user);
    if (!sql_->step(row)) return std::nullopt;
    return AccountRow{
        .id = row.integer(0), .discoverable = row.integer(1) != 0, .active = row.integer(2) == 0};
}

AccountId SqlAccounts::add(std::string_view user, std::uint32_t day) {
    sql_->run("INSERT INTO accounts (user, created_day) VALUES (?1, ?2)", user, day);
    return sql_->last_insert_id();
}

bool SqlAccounts::active(AccountId account) {
    auto row = sql_->query("SELECT 1 FROM accounts WHERE id = ?1 AND state = 0", account);
    return sql_->step(row);
}

std::vector<AccountId> SqlAccounts::take_shut_out() {
    std::vector<AccountId> out;
    {
        auto row = sql_->query("SELECT account FROM shut_out");
        while (sql_->step(row)) out.push_back(row.integer(0));
    }
    if (!out.empty()) sql_->run("DELETE FROM shut_out");
    return out;
}

bool SqlAccounts::remove_deleted(std::size_t most) {
    AccountId account = 0;
    {
        // A number in the text: only then is the index of these known to hold.
        auto row = sql_->query("SELECT id FROM accounts WHERE state = 2 LIMIT 1");
        if (!sql_->step(row)) return false;
        account = row.integer(0);
    }
    const auto removed = sql_->run(
        "DELETE FROM mail WHERE sequence IN (SELECT sequence FROM mail WHERE account = ?1 LIMIT ?2)", account,
        most);
    if (static_cast<std::size_t>(removed) == most) return true;
    // Records, devices, prekeys and tokens go with it.
    sql_->run("DELETE FROM accounts WHERE id = ?1", account);
    return true;
}

void SqlAccounts::set_discoverable(AccountId account, bool discoverable) {
    sql_->run("UPDATE accounts SET discoverable = ?2 WHERE id = ?1 AND discoverable <> ?2", account,
              discoverable);
}

void SqlAccounts::add_record(AccountId account, const crypto::AccountRecord& record) {
    sql_->run("INSERT INTO records (account, sequence, hash, bytes) VALUES (?1, ?2, ?3, ?4)", account,
              record.body().sequence, ByteView{record.hash()}, record.bytes());
}

RecordRow SqlAccounts::record(const storage::Statement& row) {
    RecordRow out{.sequence = static_cast<std::uint64_t>(row.integer(0)), .bytes = row.blob(2)};
    if (!row.fixed(1, std::span{out.hash})) sql_->damaged("records.hash");
    return out;
}

std::optional<RecordRow> SqlAccounts::newest_record(AccountId account) {
    auto row = sql_->query(
        "SELECT sequence, hash, bytes FROM records WHERE account = ?1 ORDER BY sequence DESC LIMIT 1",
        account);
    if (!sql_->step(row)) return std::nullopt;
    return record(row);
}

std::vector<RecordRow> SqlAccounts::records_from(AccountId account, std::uint64_t sequence,
                                                 std::size_t most) {
    auto row = sql_->query(
        "SELECT sequence, hash, bytes FROM records WHERE account = ?1 AND sequence >= ?2 "
        "ORDER BY sequence LIMIT ?3",
        account, sequence, most);
    std::vector<RecordRow> out;
    while (sql_->step(row)) out.push_back(record(row));
    return out;
}

DeviceRow SqlAccounts::device_row(const storage::Statement& row) {
    DeviceRow out{.device = static_cast<std::uint32_t>(row.integer(0)), .removed = row.integer(1) != 0};
    if (!row.fixed(2, std::span{out.signing_key})) sql_->damaged("devices.signing_key");
    out.generation = static_cast<std::uint64_t>(row.integer(3));
    return out;
}

std::vector<DeviceRow> SqlAccounts::devices(AccountId account) {
    auto row = sql_->query(
        "SELECT device, removed, signing_key, generation FROM devices WHERE account = ?1 ORDER BY device",
        account);
    std::vector<DeviceRow> out;
    while (sql_->step(row)) out.push_back(device_row(row));
    return out;
}

std::optional<DeviceRow> SqlAccounts::device(DeviceKey key) {
    auto row = sql_->query(
        "SELECT device, removed, signing_key, generation FROM devices WHERE account = ?1 AND device = ?2",
        key.account, key.device);
    if (!sql_->step(row)) return std::nullopt;
    return device_row(row);
}

void SqlAccounts::add_device(DeviceKey key, const crypto::DeviceSigningKey& signing_key) {
    const auto encoded = signing_key.encode();
    sql_->run("INSERT INTO devices (account, device, signing_key) VALUES (?1, ?2, ?3)", key.account,
              key.device, ByteView{encoded});
}

void SqlAccounts::set_generation(DeviceKey key, std::uint64_t generation) {
    sql_->run("UPDATE devices SET generation = max(generation, ?3) WHERE account = ?1 AND device = ?2",
              key.account, key.device, generation);
}

void SqlAccounts::remove_device(DeviceKey key) {
    sql_->run("UPDATE devices SET removed = 1 WHERE account = ?1 AND device = ?2", key.account, key.device);
    sql_->run("DELETE FROM prekeys WHERE account = ?1 AND device = ?2", key.account, key.device);
    sql_->run("DELETE FROM one_time_prekeys WHERE account = ?1 AND device = ?2", key.account, key.device);
    sql_->run("DELETE FROM mail WHERE account = ?1 AND device = ?2", key.account, key.device);
    sql_->run("DELETE FROM mailboxes WHERE account = ?1 AND device = ?2", key.account, key.device);
}

}  // namespace sotto::keyserver
