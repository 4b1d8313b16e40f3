// Sessions, and the handshakes that were accepted.
#include "columns.hpp"
#include "sotto/storage/client_store.hpp"

namespace sotto::storage {

namespace {

std::optional<SessionRow> read_session(detail::Columns& columns) {
    const auto id = columns.array<32>();
    auto session = crypto::Session::parse(columns.view());
    if (!session || session->id() != id) return std::nullopt;
    return SessionRow{.session = std::move(*session),
                      .contact = columns.i64(),
                      .device = columns.u32(),
                      .archived = columns.boolean()};
}

}  // namespace

Result<void> ClientStore::put_session(const SessionRow& row, std::int64_t now) {
    const auto state = row.session.serialize();
    return db_
        .prepare(
            "INSERT INTO sessions (id, contact, device, archived, used_at, state) VALUES (?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (id) DO UPDATE SET contact = excluded.contact, device = excluded.device, "
            "archived = excluded.archived, used_at = excluded.used_at, state = excluded.state")
        .bind_all(row.session.id(), row.contact, row.device, row.archived, now, state)
        .run();
}

Result<std::vector<SessionRow>> ClientStore::sessions() {
    auto statement = db_.prepare(
        "SELECT id, state, contact, device, archived FROM sessions ORDER BY used_at DESC, number DESC");
    return detail::read_all(statement, "session", read_session);
}

Result<std::vector<SessionRow>> ClientStore::sessions_of(std::int64_t contact) {
    auto statement = db_.prepare(
        "SELECT id, state, contact, device, archived FROM sessions WHERE contact = ? "
        "ORDER BY used_at DESC, number DESC");
    statement.bind_all(contact);
    return detail::read_all(statement, "session", read_session);
}

Result<void> ClientStore::archive_session(const crypto::SessionId& id, bool archived) {
    return db_.prepare("UPDATE sessions SET archived = ? WHERE id = ?").bind_all(archived, id).run();
}

Result<void> ClientStore::delete_session(const crypto::SessionId& id) {
    return db_.prepare("DELETE FROM sessions WHERE id = ?").bind_all(id).run();
}

Result<void> ClientStore::put_replay(const ReplayEntry& entry, std::int64_t now) {
    return db_.prepare("INSERT INTO replays (id, session, seen_at) VALUES (?, ?, ?)")
        .bind_all(entry.replay_id, entry.session, now)
        .run();
}

Result<std::optional<crypto::SessionId>> ClientStore::replay(const Array<32>& replay_id) {
    auto statement = db_.prepare("SELECT session FROM replays WHERE id = ?");
    statement.bind_all(replay_id);
    return detail::read_one(statement, "replay entry",
                            [](detail::Columns& columns) { return std::optional{columns.array<32>()}; });
}

}  // namespace sotto::storage
