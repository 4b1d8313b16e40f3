#include "columns.hpp"
#include "search.hpp"
#include "sotto/storage/client_store.hpp"

namespace sotto::storage {

namespace {

constexpr std::string_view select_message =
    "SELECT number, id, contact, direction, kind, messages.text, raw, sequence, sent_at, received_at, state, "
    "late, "
    "shown "
    "FROM messages ";

std::optional<Message> read_message(detail::Columns& columns) {
    Message message;
    message.row = columns.i64();
    message.id = columns.array<16>();
    message.contact = columns.i64();
    message.direction = columns.enumeration(Direction::outgoing);
    message.kind = columns.u32();
    message.text = columns.text();
    message.raw = columns.blob();
    message.sequence = columns.u64();
    message.sent_at = columns.i64();
    message.received_at = columns.i64();
    message.state = columns.enumeration(MessageState::received);
    message.late = columns.boolean();
    message.shown = columns.boolean();
    return message;
}

Statement select_messages(Database& db, std::string_view rest) {
    return db.prepare(std::string{select_message}.append(rest));
}

}  // namespace

Result<bool> ClientStore::add_message(Message& message) {
    auto added = db_.prepare(
                        "INSERT INTO messages (id, contact, direction, kind, text, raw, sequence, sent_at, "
                        "received_at, state, late, shown) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
                        "ON CONFLICT DO NOTHING")
                     .bind_all(message.id, message.contact, message.direction, message.kind, message.text,
                               message.raw, message.sequence, message.sent_at, message.received_at,
                               message.state, message.late, message.shown)
                     .run();
    if (!added) return std::unexpected(std::move(added.error()));
    if (db_.changes() == 0) return false;
    message.row = db_.last_insert_id();
    return true;
}

Result<std::optional<Message>> ClientStore::message(std::int64_t contact, Direction direction,
                                                    const MessageId& id) {
    auto statement = select_messages(db_, "WHERE id = ? AND contact = ? AND direction = ?");
    statement.bind_all(id, contact, direction);
    return detail::read_one(statement, "message", read_message);
}

Result<void> ClientStore::set_message_state(const MessageId& id, MessageState state) {
    // 3 is delivered, 4 is failed: see the header for the order.
    return db_
        .prepare(
            "UPDATE messages SET state = ?1 WHERE id = ?2 AND direction = 1 AND "
            "CASE ?1 WHEN 0 THEN 0 WHEN 4 THEN state < 3 WHEN 5 THEN 0 ELSE state < ?1 OR state = 4 END")
        .bind_all(state, id)
        .run();
}

Result<std::vector<Message>> ClientStore::history(std::int64_t contact, std::string_view search, int limit) {
    const auto words = detail::match_expression(search);
    // FTS5 hands out its rows from the newest on, so that a common word costs no more than a rare one.
    auto statement = words.empty()
                         ? select_messages(db_, "WHERE contact = ?1 ORDER BY number DESC LIMIT ?2")
                         : select_messages(db_,
                                           "JOIN message_words ON message_words.rowid = number WHERE "
                                           "message_words MATCH ?3 AND contact = ?1 "
                                           "ORDER BY message_words.rowid DESC LIMIT ?2");
    statement.bind_all(contact, limit);
    if (!words.empty()) statement.bind_text(words);
    auto messages = detail::read_all(statement, "message", read_message);
    if (messages) std::ranges::reverse(*messages);
    return messages;
}

Result<std::vector<Message>> ClientStore::unshown(int limit) {
    auto statement = select_messages(db_, "WHERE direction = 0 AND shown = 0 ORDER BY number LIMIT ?");
    statement.bind_all(limit);
    return detail::read_all(statement, "message", read_message);
}

Result<void> ClientStore::mark_shown(std::int64_t row) {
    return db_.prepare("UPDATE messages SET shown = 1 WHERE number = ?").bind_all(row).run();
}

Result<bool> ClientStore::remember_content(std::int64_t contact, const MessageId& id, std::int64_t now) {
    auto remembered =
        db_.prepare(
               "INSERT INTO contents_seen (contact, id, seen_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING")
            .bind_all(contact, id, now)
            .run();
    if (!remembered) return std::unexpected(std::move(remembered.error()));
    return db_.changes() == 1;
}

}  // namespace sotto::storage
