#include "columns.hpp"
#include "sotto/storage/client_store.hpp"

namespace sotto::storage {

namespace {

constexpr std::string_view select_item =
    "SELECT id, contact, content, needs_acknowledgement, queued_at, envelope_id, envelope, device, accepted, "
    "accepted_at, pushed FROM outbox ";

std::optional<OutboxItem> read_item(detail::Columns& columns) {
    OutboxItem item;
    item.id = columns.array<16>();
    item.contact = columns.i64();
    item.content = columns.blob();
    item.needs_acknowledgement = columns.boolean();
    item.queued_at = columns.i64();
    item.envelope_id = columns.optional_array<16>();
    item.envelope = columns.blob();
    item.device = columns.u32();
    item.accepted = columns.boolean();
    item.accepted_at = columns.i64();
    item.pushed = columns.boolean();
    return item;
}

Statement& bind_item(Statement& statement, const OutboxItem& item) {
    return statement.bind_all(item.id, item.contact, item.content, item.needs_acknowledgement, item.queued_at,
                              item.envelope_id, item.envelope, item.device, item.accepted, item.accepted_at,
                              item.pushed);
}

}  // namespace

Result<void> ClientStore::queue(const OutboxItem& item) {
    auto statement = db_.prepare(
        "INSERT INTO outbox (id, contact, content, needs_acknowledgement, queued_at, envelope_id, envelope, "
        "device, "
        "accepted, accepted_at, pushed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    return bind_item(statement, item).run();
}

Result<void> ClientStore::update_outbox(const OutboxItem& item) {
    auto statement = db_.prepare(
        "UPDATE outbox SET content = ?3, needs_acknowledgement = ?4, queued_at = ?5, envelope_id = ?6, "
        "envelope = ?7, device = ?8, accepted = ?9, accepted_at = ?10, pushed = ?11 WHERE id = ?1 AND "
        "contact = ?2");
    return bind_item(statement, item).run();
}

Result<void> ClientStore::remove_outbox(std::int64_t contact, const MessageId& id) {
    return db_.prepare("DELETE FROM outbox WHERE contact = ? AND id = ?").bind_all(contact, id).run();
}

Result<std::optional<OutboxItem>> ClientStore::outbox_item(std::int64_t contact, const MessageId& id) {
    auto statement = db_.prepare(std::string{select_item}.append("WHERE contact = ? AND id = ?"));
    statement.bind_all(contact, id);
    return detail::read_one(statement, "outbox item", read_item);
}

Result<std::vector<OutboxItem>> ClientStore::outbox_pending(int limit) {
    auto statement =
        db_.prepare(std::string{select_item}.append("WHERE accepted = 0 ORDER BY number LIMIT ?"));
    statement.bind_all(limit);
    return detail::read_all(statement, "outbox item", read_item);
}

Result<std::vector<MessageId>> ClientStore::outbox_ids(std::int64_t contact) {
    auto statement = db_.prepare("SELECT id FROM outbox WHERE contact = ? AND accepted = 0 ORDER BY number");
    statement.bind_all(contact);
    return detail::read_all(statement, "outbox id",
                            [](detail::Columns& columns) { return std::optional{columns.array<16>()}; });
}

Result<std::vector<std::int64_t>> ClientStore::contacts_overdue(std::int64_t since) {
    auto statement = db_.prepare(
        "SELECT DISTINCT contacts.id FROM outbox JOIN contacts ON contacts.id = outbox.contact "
        "WHERE accepted = 1 AND needs_acknowledgement = 1 AND accepted_at <= ?1 AND "
        "(pushed = 1 OR (heard_at > accepted_at AND heard_at <= ?1)) ORDER BY contacts.id");
    statement.bind_all(since);
    return detail::read_all(statement, "contact number",
                            [](detail::Columns& columns) { return std::optional{columns.i64()}; });
}

Result<bool> ClientStore::reopen_outbox(std::int64_t contact) {
    auto reopened =
        db_.prepare(
               "UPDATE outbox SET envelope_id = NULL, envelope = x'', accepted = 0, accepted_at = "
               "0, pushed = 0 WHERE contact = ?")
            .bind_all(contact)
            .run();
    if (!reopened) return std::unexpected(std::move(reopened.error()));
    return db_.changes() > 0;
}

Result<std::vector<OutboxItem>> ClientStore::outbox_of(std::int64_t contact) {
    auto statement = db_.prepare(std::string{select_item}.append("WHERE contact = ? ORDER BY number"));
    statement.bind_all(contact);
    return detail::read_all(statement, "outbox item", read_item);
}

Result<std::int64_t> ClientStore::outbox_size() {
    auto statement = db_.prepare("SELECT count(*) FROM outbox WHERE accepted = 0");
    if (const auto row = statement.step(); !row) return std::unexpected(row.error());
    return statement.integer(0);
}

}  // namespace sotto::storage
