// Envelopes that were taken in: those that opened, by id, and those that did not, whole.
#include "columns.hpp"
#include "sotto/storage/client_store.hpp"

namespace sotto::storage {

Result<void> ClientStore::quarantine(const EnvelopeId& id, ByteView envelope, std::int64_t now) {
    auto added =
        db_.prepare(
               "INSERT INTO quarantine (id, envelope, set_aside) VALUES (?, ?, ?) ON CONFLICT DO NOTHING")
            .bind_all(id, envelope, now)
            .run();
    if (!added) return added;
    return db_
        .prepare(
            "DELETE FROM quarantine WHERE rowid IN "
            "(SELECT rowid FROM quarantine ORDER BY rowid DESC LIMIT -1 OFFSET ?)")
        .bind_all(max_quarantined)
        .run();
}

Result<std::vector<EnvelopeId>> ClientStore::quarantined() {
    auto statement = db_.prepare("SELECT id FROM quarantine ORDER BY rowid");
    return detail::read_all(statement, "quarantined envelope",
                            [](detail::Columns& columns) { return std::optional{columns.array<16>()}; });
}

Result<std::optional<Bytes>> ClientStore::quarantined_envelope(const EnvelopeId& id) {
    auto statement = db_.prepare("SELECT envelope FROM quarantine WHERE id = ?");
    statement.bind_all(id);
    return detail::read_one(statement, "quarantined envelope",
                            [](detail::Columns& columns) { return std::optional{columns.blob()}; });
}

Result<void> ClientStore::release_quarantined(const EnvelopeId& id) {
    return db_.prepare("DELETE FROM quarantine WHERE id = ?").bind_all(id).run();
}

Result<bool> ClientStore::envelope_seen(const EnvelopeId& id) {
    auto statement = db_.prepare(
        "SELECT 1 FROM envelopes_seen WHERE id = ?1 UNION ALL SELECT 1 FROM quarantine WHERE id = ?1");
    return statement.bind_all(id).step();
}

Result<void> ClientStore::remember_envelope(const EnvelopeId& id, std::int64_t now) {
    return db_.prepare("INSERT INTO envelopes_seen (id, seen_at) VALUES (?, ?) ON CONFLICT DO NOTHING")
        .bind_all(id, now)
        .run();
}

Result<void> ClientStore::forget_envelopes_before(std::int64_t when) {
    return db_.prepare("DELETE FROM envelopes_seen WHERE seen_at < ?").bind_all(when).run();
}

Result<void> ClientStore::drop_quarantined_before(std::int64_t when) {
    return db_.prepare("DELETE FROM quarantine WHERE set_aside < ?").bind_all(when).run();
}

}  // namespace sotto::storage
