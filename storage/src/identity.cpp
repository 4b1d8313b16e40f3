// Who we are, our own records, and small named values.
#include "columns.hpp"
#include "sotto/storage/client_store.hpp"

namespace sotto::storage {

namespace {

std::optional<Identity> read_identity(detail::Columns& columns) {
    auto address = crypto::Address::parse(columns.text());
    if (!address) return std::nullopt;
    // Braced: read in the order of the columns.
    return Identity{
        .address = std::move(*address),
        .device = columns.u32(),
        .signing_key = crypto::DeviceSigningKeyPair{columns.secret<crypto::DeviceSigningKeyPair::Seed>()},
        .identity_key = crypto::IdentityKeyPair{columns.secret<crypto::IdentityKeyPair::Seed>()},
        .server_host = columns.text(),
        .server_port = columns.u16(),
        .server_pin = columns.optional_array<32>(),
        .next_server_pin = columns.optional_array<32>(),
        .registered = columns.boolean(),
        .unbound_accepted = columns.boolean(),
        .shared_token = columns.secret<crypto::Token>(),
    };
}

std::optional<crypto::AccountRecord> read_record(detail::Columns& columns) {
    auto record = crypto::AccountRecord::parse(columns.view());
    if (!record) return std::nullopt;
    return std::move(*record);
}

}  // namespace

Result<void> ClientStore::put_identity(const Identity& identity) {
    return db_
        .prepare(
            "INSERT OR REPLACE INTO identity (one, address, device, signing_seed, identity_seed, "
            "server_host, "
            "server_port, server_pin, next_server_pin, registered, unbound_accepted, shared_token) "
            "VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
        .bind_all(identity.address.text(), identity.device, identity.signing_key.seed().expose(),
                  identity.identity_key.seed().expose(), identity.server_host, identity.server_port,
                  identity.server_pin, identity.next_server_pin, identity.registered,
                  identity.unbound_accepted, identity.shared_token.expose())
        .run();
}

Result<std::optional<Identity>> ClientStore::identity() {
    auto statement = db_.prepare(
        "SELECT address, device, signing_seed, identity_seed, server_host, server_port, server_pin, "
        "next_server_pin, registered, unbound_accepted, shared_token FROM identity");
    return detail::read_one(statement, "identity", read_identity);
}

Result<void> ClientStore::put_own_record(const crypto::AccountRecord& record) {
    auto put = db_.prepare("INSERT INTO own_records (sequence, record) VALUES (?, ?) ON CONFLICT DO NOTHING")
                   .bind_all(record.body().sequence, record.bytes())
                   .run();
    if (!put || db_.changes() == 1) return put;
    const auto known = own_record(record.body().sequence);
    if (!known) return std::unexpected(known.error());
    const auto& there = *known;
    if (!there || there->hash() != record.hash())
        return std::unexpected(
            Error{.code = Code::conflict, .detail = "another own record has that sequence"});
    return {};
}

Result<std::optional<crypto::AccountRecord>> ClientStore::own_record(std::uint64_t sequence) {
    auto statement = db_.prepare("SELECT record FROM own_records WHERE sequence = ?");
    statement.bind_all(sequence);
    return detail::read_one(statement, "own record", read_record);
}

Result<std::optional<crypto::AccountRecord>> ClientStore::newest_own_record() {
    auto statement = db_.prepare("SELECT record FROM own_records ORDER BY sequence DESC LIMIT 1");
    return detail::read_one(statement, "own record", read_record);
}

Result<void> ClientStore::put_setting(std::string_view key, std::string_view value) {
    return db_.prepare("INSERT OR REPLACE INTO settings (key, value) VALUES (?, ?)")
        .bind_all(bytes_of(key), bytes_of(value))
        .run();
}

Result<std::optional<std::string>> ClientStore::setting(std::string_view key) {
    auto statement = db_.prepare("SELECT value FROM settings WHERE key = ?");
    statement.bind_all(bytes_of(key));
    return detail::read_one(statement, "setting",
                            [](detail::Columns& columns) { return std::optional{columns.text()}; });
}

}  // namespace sotto::storage
