#include "keyserver/store/sql_prekeys.hpp"

namespace sotto::keyserver {

PublishedPrekeys SqlPrekeys::published(DeviceKey key) {
    auto row = sql_->query(
        "SELECT signed_prekey, signed_day, last_resort FROM prekeys WHERE account = ?1 AND device = ?2",
        key.account, key.device);
    PublishedPrekeys out;
    if (!sql_->step(row)) return out;
    if (!row.is_null(0)) out.signed_prekey = row.blob(0);
    out.signed_day = static_cast<std::uint32_t>(row.integer(1));
    if (!row.is_null(2)) out.last_resort = row.blob(2);
    return out;
}

void SqlPrekeys::set_signed(DeviceKey key, ByteView bytes, std::uint32_t day) {
    sql_->run(
        "INSERT INTO prekeys (account, device, signed_prekey, signed_day) VALUES (?1, ?2, ?3, ?4) "
        "ON CONFLICT (account, device) DO UPDATE SET signed_prekey = ?3, signed_day = ?4",
        key.account, key.device, bytes, day);
}

void SqlPrekeys::set_last_resort(DeviceKey key, ByteView bytes) {
    sql_->run(
        "INSERT INTO prekeys (account, device, last_resort) VALUES (?1, ?2, ?3) "
        "ON CONFLICT (account, device) DO UPDATE SET last_resort = ?3",
        key.account, key.device, bytes);
}

void SqlPrekeys::add_one_time(DeviceKey key, OneTimeKind kind, const std::vector<OneTimeRow>& keys) {
    for (const auto& row : keys)
        sql_->run(
            "INSERT INTO one_time_prekeys (account, device, kind, id, bytes) VALUES (?1, ?2, ?3, ?4, ?5)",
            key.account, key.device, kind, row.id, ByteView{row.bytes});
    if (keys.empty()) return;
    sql_->run(kind == OneTimeKind::kem
                  ? "INSERT INTO prekeys (account, device, highest_kem) VALUES (?1, ?2, ?3) "
                    "ON CONFLICT (account, device) DO UPDATE SET highest_kem = ?3"
                  : "INSERT INTO prekeys (account, device, highest_one_time) VALUES (?1, ?2, ?3) "
                    "ON CONFLICT (account, device) DO UPDATE SET highest_one_time = ?3",
              key.account, key.device, keys.back().id);
}

OneTimeState SqlPrekeys::one_time_state(DeviceKey key, OneTimeKind kind) {
    OneTimeState out;
    auto count =
        sql_->query("SELECT count(*) FROM one_time_prekeys WHERE account = ?1 AND device = ?2 AND kind = ?3",
                    key.account, key.device, kind);
    if (sql_->step(count)) out.left = static_cast<std::uint32_t>(count.integer(0));
    auto row =
        sql_->query("SELECT highest_one_time, highest_kem FROM prekeys WHERE account = ?1 AND device = ?2",
                    key.account, key.device);
    if (sql_->step(row))
        out.highest = static_cast<std::uint32_t>(row.integer(kind == OneTimeKind::kem ? 1 : 0));
    return out;
}

void SqlPrekeys::remove_one_time(DeviceKey key) {
    sql_->run("DELETE FROM one_time_prekeys WHERE account = ?1 AND device = ?2", key.account, key.device);
}

std::optional<Bytes> SqlPrekeys::take_one_time(DeviceKey key, OneTimeKind kind) {
    std::int64_t id = 0;
    Bytes bytes;
    {
        auto row = sql_->query(
            "SELECT id, bytes FROM one_time_prekeys WHERE account = ?1 AND device = ?2 AND kind = ?3 "
            "ORDER BY id LIMIT 1",
            key.account, key.device, kind);
        if (!sql_->step(row)) return std::nullopt;
        id = row.integer(0);
        bytes = row.blob(1);
    }
    sql_->run("DELETE FROM one_time_prekeys WHERE account = ?1 AND device = ?2 AND kind = ?3 AND id = ?4",
              key.account, key.device, kind, id);
    return bytes;
}

}  // namespace sotto::keyserver
