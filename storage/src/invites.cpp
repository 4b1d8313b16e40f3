#include "columns.hpp"
#include "sotto/storage/client_store.hpp"

namespace sotto::storage {

namespace {

std::optional<InviteRow> read_invite(detail::Columns& columns) {
    return InviteRow{.secret = columns.secret<crypto::InviteSecret>(),
                     .created_at = columns.i64(),
                     .expires_at = columns.i64(),
                     .used_by = columns.i64()};
}

}  // namespace

Result<void> ClientStore::put_invite(const InviteRow& invite) {
    return db_
        .prepare("INSERT INTO invites (id, secret, created_at, expires_at, used_by) VALUES (?, ?, ?, ?, ?)")
        .bind_all(crypto::invite_id(invite.secret), invite.secret.expose(), invite.created_at,
                  invite.expires_at, invite.used_by)
        .run();
}

Result<std::optional<InviteRow>> ClientStore::invite(const crypto::InviteId& id) {
    auto statement = db_.prepare("SELECT secret, created_at, expires_at, used_by FROM invites WHERE id = ?");
    statement.bind_all(id);
    return detail::read_one(statement, "invite", read_invite);
}

Result<std::vector<InviteRow>> ClientStore::open_invites(std::int64_t now) {
    auto statement = db_.prepare(
        "SELECT secret, created_at, expires_at, used_by FROM invites WHERE used_by = 0 AND expires_at > ? "
        "ORDER BY created_at, id");
    statement.bind_all(now);
    return detail::read_all(statement, "invite", read_invite);
}

Result<void> ClientStore::use_invite(const crypto::InviteId& id, std::int64_t contact) {
    auto used = db_.prepare("UPDATE invites SET used_by = ?2 WHERE id = ?1 AND used_by IN (0, ?2)")
                    .bind_all(id, contact)
                    .run();
    if (used && db_.changes() == 0)
        return std::unexpected(Error{.code = Code::conflict, .detail = "the invite is used or not there"});
    return used;
}

}  // namespace sotto::storage
