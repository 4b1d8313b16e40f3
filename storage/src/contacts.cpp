#include "columns.hpp"
#include "sotto/storage/client_store.hpp"

namespace sotto::storage {

namespace {

constexpr std::string_view select_contact =
    "SELECT id, name, address, server_host, server_port, server_pin, record, state, verified, "
    "their_shared_token, "
    "their_recovery_token, invite_secret, invite_claim, our_recovery_token, next_sequence, highest_seen, "
    "added_at, introduced, blocked, other_record, heard_at, reset_at, resets, direct FROM contacts ";

std::optional<Contact> read_contact(detail::Columns& columns) {
    Contact contact;
    contact.id = columns.i64();
    contact.name = columns.text();
    auto address = crypto::Address::parse(columns.text());
    if (!address) return std::nullopt;
    contact.address = std::move(*address);
    contact.server_host = columns.text();
    contact.server_port = columns.u16();
    contact.server_pin = columns.optional_array<32>();
    contact.record = columns.blob();
    contact.state = columns.enumeration(ContactState::changed);
    contact.verified = columns.enumeration(Verified::qr);
    contact.their_shared_token = columns.optional_array<32>();
    contact.their_recovery_token = columns.optional_array<32>();
    contact.invite_secret = columns.optional_array<32>();
    contact.invite_claim = columns.optional_array<16>();
    contact.our_recovery_token = columns.array<32>();
    contact.next_sequence = columns.u64();
    contact.highest_seen = columns.u64();
    contact.added_at = columns.i64();
    contact.introduced = columns.boolean();
    contact.blocked = columns.boolean();
    contact.other_record = columns.blob();
    contact.heard_at = columns.i64();
    contact.reset_at = columns.i64();
    contact.resets = columns.u32();
    contact.direct = columns.enumeration(DirectChoice::never);
    return contact;
}

/// Binds everything but the id, in the order of the columns.
Statement& bind_contact(Statement& statement, const Contact& contact) {
    return statement.bind_all(
        contact.name, contact.address.text(), contact.server_host, contact.server_port, contact.server_pin,
        contact.record, contact.state, contact.verified, contact.their_shared_token,
        contact.their_recovery_token, contact.invite_secret, contact.invite_claim, contact.our_recovery_token,
        contact.next_sequence, contact.highest_seen, contact.added_at, contact.introduced, contact.blocked,
        contact.other_record, contact.heard_at, contact.reset_at, contact.resets, contact.direct);
}

Result<std::optional<Contact>> one_contact(Database& db, std::string_view where, const auto& value) {
    auto statement = db.prepare(std::string{select_contact}.append(where));
    statement.bind_all(value);
    return detail::read_one(statement, "contact", read_contact);
}

}  // namespace

Result<void> ClientStore::add_contact(Contact& contact) {
    auto statement = db_.prepare(
        "INSERT INTO contacts (name, address, server_host, server_port, server_pin, record, state, verified, "
        "their_shared_token, their_recovery_token, invite_secret, invite_claim, our_recovery_token, "
        "next_sequence, "
        "highest_seen, added_at, introduced, blocked, other_record, heard_at, reset_at, resets, direct) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    auto added = bind_contact(statement, contact).run();
    if (added) contact.id = db_.last_insert_id();
    return added;
}

Result<void> ClientStore::update_contact(const Contact& contact) {
    auto statement = db_.prepare(
        "UPDATE contacts SET name = ?, address = ?, server_host = ?, server_port = ?, server_pin = ?, record "
        "= ?, "
        "state = ?, verified = ?, their_shared_token = ?, their_recovery_token = ?, invite_secret = ?, "
        "invite_claim = ?, our_recovery_token = ?, next_sequence = ?, highest_seen = ?, added_at = ?, "
        "introduced = ?, blocked = ?, other_record = ?, heard_at = ?, reset_at = ?, resets = ?, direct = ? "
        "WHERE id = ?");
    bind_contact(statement, contact).bind(contact.id);
    auto updated = statement.run();
    if (updated && db_.changes() == 0)
        return std::unexpected(Error{.code = Code::missing, .detail = "there is no such contact"});
    return updated;
}

Result<void> ClientStore::remove_contact(std::int64_t id) {
    return db_.prepare("DELETE FROM contacts WHERE id = ?").bind_all(id).run();
}

Result<std::optional<Contact>> ClientStore::contact(std::int64_t id) {
    return one_contact(db_, "WHERE id = ?", id);
}

Result<std::optional<Contact>> ClientStore::contact_by_name(std::string_view name) {
    return one_contact(db_, "WHERE name = ?", name);
}

Result<std::optional<Contact>> ClientStore::contact_by_address(const crypto::Address& address) {
    return one_contact(db_, "WHERE address = ?", address.text());
}

Result<std::vector<Contact>> ClientStore::contacts() {
    auto statement = db_.prepare(std::string{select_contact}.append("ORDER BY name"));
    return detail::read_all(statement, "contact", read_contact);
}

}  // namespace sotto::storage
