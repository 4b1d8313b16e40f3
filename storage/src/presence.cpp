// Presence keys, ours for each contact and theirs for us.
#include "columns.hpp"
#include "sotto/storage/client_store.hpp"

namespace sotto::storage {

namespace {

std::optional<PresenceRow> read_presence(detail::Columns& columns) {
    PresenceRow out;
    out.contact = columns.i64();
    out.visible = columns.boolean();
    auto own_key = columns.optional_secret<crypto::PresenceKey>();
    const auto own_day = columns.u32();
    auto write_secret = columns.optional_secret<crypto::PresenceWriteSecret>();
    auto their_key = columns.optional_secret<crypto::PresenceKey>();
    const auto their_day = columns.u32();
    const auto their_sequence = columns.u64();
    if (own_key.has_value() != write_secret.has_value()) return std::nullopt;
    if (own_key && write_secret)
        out.own.emplace(PresenceRow::Own{
            .key = std::move(*own_key), .day = own_day, .write_secret = std::move(*write_secret)});
    if (their_key)
        out.theirs.emplace(
            PresenceRow::Theirs{.key = std::move(*their_key), .day = their_day, .sequence = their_sequence});
    return out;
}

}  // namespace

Result<PresenceRow> ClientStore::presence(std::int64_t contact) {
    auto statement = db_.prepare(
        "SELECT contact, visible, own_key, own_day, write_key, their_key, their_day, their_sequence "
        "FROM presence WHERE contact = ?");
    statement.bind_all(contact);
    auto found = detail::read_one(statement, "presence key", read_presence);
    if (!found) return std::unexpected(std::move(found.error()));
    auto row = std::move(*found).value_or(PresenceRow{});
    row.contact = contact;
    return row;
}

Result<void> ClientStore::put_presence(const PresenceRow& row) {
    auto statement = db_.prepare(
        "INSERT OR REPLACE INTO presence (contact, visible, own_key, own_day, write_key, their_key, "
        "their_day, their_sequence) VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
    using Optional = std::optional<ByteView>;
    statement.bind_all(row.contact, row.visible, row.own ? Optional{row.own->key.expose()} : Optional{},
                       row.own ? row.own->day : 0,
                       row.own ? Optional{row.own->write_secret.expose()} : Optional{},
                       row.theirs ? Optional{row.theirs->key.expose()} : Optional{},
                       row.theirs ? row.theirs->day : 0, row.theirs ? row.theirs->sequence : 0);
    return statement.run();
}

}  // namespace sotto::storage
