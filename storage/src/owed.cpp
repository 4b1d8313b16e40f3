// Acknowledgements that are owed.
#include "columns.hpp"
#include "sotto/storage/client_store.hpp"

namespace sotto::storage {

Result<void> ClientStore::owe_acknowledgement(std::int64_t contact, const MessageId& id) {
    return db_.prepare("INSERT INTO owed (contact, id) VALUES (?, ?) ON CONFLICT DO NOTHING")
        .bind_all(contact, id)
        .run();
}

Result<std::vector<MessageId>> ClientStore::owed_acknowledgements(std::int64_t contact, int limit) {
    auto statement = db_.prepare("SELECT id FROM owed WHERE contact = ? ORDER BY number LIMIT ?");
    statement.bind_all(contact, limit);
    return detail::read_all(statement, "owed acknowledgement",
                            [](detail::Columns& columns) { return std::optional{columns.array<16>()}; });
}

Result<std::vector<std::int64_t>> ClientStore::contacts_owed() {
    auto statement = db_.prepare("SELECT DISTINCT contact FROM owed ORDER BY contact");
    return detail::read_all(statement, "owed acknowledgement",
                            [](detail::Columns& columns) { return std::optional{columns.i64()}; });
}

Result<void> ClientStore::clear_owed(std::int64_t contact, const MessageId& id) {
    return db_.prepare("DELETE FROM owed WHERE contact = ? AND id = ?").bind_all(contact, id).run();
}

}  // namespace sotto::storage
