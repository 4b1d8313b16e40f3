#include "connection.hpp"

namespace sotto::storage::detail {

namespace {

/// True if everything in the log has been moved to the file, so that the file alone is the database.
bool settled(Connection& connection) {
    int in_log = -1;
    int moved = -1;
    const int code =
        sqlite3_wal_checkpoint_v2(connection.handle, "main", SQLITE_CHECKPOINT_TRUNCATE, &in_log, &moved);
    return code == SQLITE_OK && in_log == moved;
}

}  // namespace

Result<void> check_integrity(Connection& connection) {
    // The pages' check reads the file as it lies there. While the log still holds newer pages (another
    // process uses them, or the disk is full), SQLite's own check, which reads through the log, has to do.
    if (settled(connection)) {
        auto pages = connection.ask("PRAGMA cipher_integrity_check");
        if (!pages) return std::unexpected(std::move(pages.error()));
        if (!pages->empty())
            return std::unexpected(Error{.code = Code::damaged, .detail = std::move(*pages)});
    }
    auto structure = connection.ask("PRAGMA integrity_check(1)");
    if (!structure) return std::unexpected(std::move(structure.error()));
    if (*structure != "ok")
        return std::unexpected(Error{.code = Code::damaged, .detail = "the integrity check failed"});
    return {};
}

}  // namespace sotto::storage::detail
