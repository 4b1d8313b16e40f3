// Keys of skipped messages, each a row of its own under the session's number.
#include "columns.hpp"
#include "sotto/storage/client_store.hpp"

namespace sotto::storage {

Result<void> ClientStore::put_kept_key(const crypto::SessionId& id, const crypto::KeptKey& key,
                                       std::int64_t now) {
    auto put = db_.prepare(
                      "INSERT INTO kept_keys (session, chain, n, kept_at, key) "
                      "SELECT number, ?2, ?3, ?4, ?5 FROM sessions WHERE id = ?1")
                   .bind_all(id, key.chain, key.n, now, key.key.expose())
                   .run();
    if (put && db_.changes() == 0)
        return std::unexpected(Error{.code = Code::missing, .detail = "there is no such session"});
    return put;
}

Result<std::optional<crypto::MessageKey>> ClientStore::kept_key(const crypto::SessionId& id,
                                                                crypto::KeptKeyId which) {
    auto statement = db_.prepare(
        "SELECT key FROM kept_keys WHERE session = (SELECT number FROM sessions WHERE id = ?) AND chain = ? "
        "AND n = ?");
    statement.bind_all(id, which.chain, which.n);
    return detail::read_one(statement, "kept key", [](detail::Columns& columns) {
        return std::optional{columns.secret<crypto::MessageKey>()};
    });
}

Result<void> ClientStore::delete_kept_key(const crypto::SessionId& id, crypto::KeptKeyId which) {
    return db_
        .prepare(
            "DELETE FROM kept_keys WHERE session = (SELECT number FROM sessions WHERE id = ?) AND chain = ? "
            "AND n = ?")
        .bind_all(id, which.chain, which.n)
        .run();
}

Result<void> ClientStore::delete_kept_chain(const crypto::SessionId& id, std::uint32_t chain) {
    return db_
        .prepare(
            "DELETE FROM kept_keys WHERE session = (SELECT number FROM sessions WHERE id = ?) AND chain = ?")
        .bind_all(id, chain)
        .run();
}

Result<void> ClientStore::delete_kept_before(std::int64_t when) {
    return db_.prepare("DELETE FROM kept_keys WHERE kept_at < ?").bind_all(when).run();
}

}  // namespace sotto::storage
