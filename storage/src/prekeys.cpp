#include "columns.hpp"
#include "sotto/storage/client_store.hpp"

namespace sotto::storage {

namespace {

/// Bytes of a seed that count: ML-KEM takes all 64, X25519 the first 32.
std::size_t seed_size(PrekeyKind kind) {
    return kind == PrekeyKind::last_resort || kind == PrekeyKind::one_time_kem ? 64 : 32;
}

std::optional<std::uint32_t> read_u32(detail::Columns& columns) {
    return columns.u32();
}

}  // namespace

Result<std::uint32_t> ClientStore::next_prekey_id(PrekeyKind kind) {
    auto statement = db_.prepare(
        "INSERT INTO prekey_ids (kind, last) VALUES (?, 1) ON CONFLICT DO UPDATE SET last = last + 1 "
        "RETURNING last");
    statement.bind_all(kind);
    const auto read = detail::read_one(statement, "prekey id", read_u32);
    if (!read) return std::unexpected(read.error());
    // The change is complete only at the end of the rows.
    if (const auto end = statement.step(); !end) return std::unexpected(end.error());
    const auto& id = *read;
    if (!id) return std::unexpected(detail::damaged_row("prekey id"));
    return *id;
}

Result<void> ClientStore::put_prekey(PrekeyKind kind, const StoredPrekey& key, std::uint32_t day) {
    return db_.prepare("INSERT INTO prekeys (kind, id, seed, day) VALUES (?, ?, ?, ?)")
        .bind_all(kind, key.id, ByteView{key.seed.expose()}.first(seed_size(kind)), day)
        .run();
}

Result<std::optional<StoredPrekey>> ClientStore::prekey(PrekeyKind kind, std::uint32_t id) {
    auto statement = db_.prepare("SELECT seed FROM prekeys WHERE kind = ? AND id = ?");
    statement.bind_all(kind, id);
    return detail::read_one(statement, "prekey",
                            [&](detail::Columns& columns) -> std::optional<StoredPrekey> {
                                const auto seed = columns.view();
                                if (seed.size() != seed_size(kind)) return std::nullopt;
                                StoredPrekey key;
                                key.id = id;
                                std::ranges::copy(seed, key.seed.writable().begin());
                                return key;
                            });
}

Result<void> ClientStore::delete_prekey(PrekeyKind kind, std::uint32_t id) {
    return db_.prepare("DELETE FROM prekeys WHERE kind = ? AND id = ?").bind_all(kind, id).run();
}

Result<void> ClientStore::retire_prekeys(PrekeyKind kind, std::uint32_t current_id, std::uint32_t day) {
    Transaction transaction{db_};
    auto replaced =
        db_.prepare("UPDATE prekeys SET replaced = ?1 WHERE kind = ?2 AND id < ?3 AND replaced IS NULL")
            .bind_all(day, kind, current_id)
            .run();
    if (!replaced) return replaced;
    auto deleted = db_.prepare("DELETE FROM prekeys WHERE kind = ?1 AND replaced + ?2 < ?3")
                       .bind_all(kind, crypto::prekey_secret_kept_days, day)
                       .run();
    if (!deleted) return deleted;
    return transaction.commit();
}

Result<std::vector<std::uint32_t>> ClientStore::unpublished_prekeys(PrekeyKind kind) {
    auto statement = db_.prepare(
        "SELECT id FROM prekeys WHERE kind = ? AND published = 0 AND replaced IS NULL ORDER BY id");
    statement.bind_all(kind);
    return detail::read_all(statement, "prekey", read_u32);
}

Result<void> ClientStore::mark_published(PrekeyKind kind, std::uint32_t id) {
    return db_.prepare("UPDATE prekeys SET published = 1 WHERE kind = ? AND id = ?").bind_all(kind, id).run();
}

Result<std::uint32_t> ClientStore::newest_prekey_day(PrekeyKind kind) {
    auto statement = db_.prepare("SELECT day FROM prekeys WHERE kind = ? ORDER BY id DESC LIMIT 1");
    statement.bind_all(kind);
    auto day = detail::read_one(statement, "prekey", read_u32);
    if (!day) return std::unexpected(std::move(day.error()));
    return day->value_or(0);
}

}  // namespace sotto::storage
