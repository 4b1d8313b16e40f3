#include "keyserver/app/store.hpp"

#include <spdlog/spdlog.h>

#include "keyserver/app/files.hpp"
#include "keyserver/app/times.hpp"
#include "keyserver/store/schema.hpp"
#include "sotto/crypto/codec.hpp"

namespace sotto::keyserver {

Problem store_problem(const storage::Error& error, const std::filesystem::path& file) {
    switch (error.code) {
        case storage::Code::damaged:
            return {
                .exit = Exit::server,
                .sentence =
                    "The store " + file.string() +
                    " can't be opened: it is damaged, or the store key is another one; restore a backup."};
        case storage::Code::newer:
            return {
                .exit = Exit::input,
                .sentence = "The store " + file.string() + " was written by a newer version; run that one."};
        case storage::Code::in_use:
            return {.exit = Exit::server, .sentence = "The store " + file.string() + " is busy: try again."};
        case storage::Code::conflict:  // see open_store
            return {
                .exit = Exit::input,
                .sentence = "The store " + file.string() +
                            " is of an older version, and a server runs on it: restart that server first."};
        case storage::Code::full:
            return {.exit = Exit::server,
                    .sentence = "The disk is full: make room for " + file.string() + "."};
        default:
            return {.exit = Exit::server,
                    .sentence = "The store " + file.string() + " can't be opened: " + error.detail + "."};
    }
}

Outcome<storage::DatabaseKey> read_store_key(const std::filesystem::path& file) {
    auto content = read_small_file(file, "The store key");
    if (!content) return std::unexpected(content.error());
    while (!content->empty() && (content->back() == std::byte{'\n'} || content->back() == std::byte{'\r'}))
        content->pop_back();
    auto bytes = crypto::from_hex(chars_of(*content));
    if (!bytes || bytes->size() != storage::DatabaseKey::size)
        return problem(Exit::input, "The store key " + file.string() + " must hold 64 hexadecimal digits.");
    storage::DatabaseKey key{FixedView<storage::DatabaseKey::size>{*bytes}};
    crypto::wipe(bytes->data(), bytes->size());
    if (readable_by_others(file))
        spdlog::warn("the store key can be read by other users of this machine: chmod 600 it");
    return key;
}

Outcome<storage::Database> open_store(const std::filesystem::path& file, const storage::DatabaseKey& key,
                                      Company company) {
    const auto before = [&](storage::Database& store, int from) -> storage::Result<void> {
        if (company == Company::running)
            return std::unexpected(storage::Error{.code = storage::Code::conflict, .detail = {}});
        if (company == Company::none) return {};
        auto copy = file;
        copy.replace_extension("version-" + std::to_string(from) + "." + compact_utc(now_s()) + ".db");
        auto copied = store.backup_to(copy, key);
        if (copied)
            spdlog::warn(
                "the store is of version {}; before it is changed to version {}, a copy was made: {}", from,
                migrations.size(), copy.filename().string());
        return copied;
    };
    // What is in here is ciphertext, hashes and public keys: not worth two system calls for every allocation.
    auto db = storage::Database::open(file, key, migrations,
                                      {.check_after_crash = company != Company::running,
                                       .guard_memory = false,
                                       .cache_kib = company == Company::running ? 8192U : 65536U,
                                       .before_migration = before});
    if (!db) return std::unexpected(store_problem(db.error(), file));
    return *std::move(db);
}

Outcome<OpenFolder> open_folder(const std::filesystem::path& data) {
    auto config = read_config(data);
    if (!config) return std::unexpected(config.error());
    auto lock = storage::ProfileLock::acquire(data);
    if (!lock && lock.error().code != storage::Code::in_use)
        return problem(Exit::input, data.string() + " can't be used: " + lock.error().detail + ".");
    const auto key = read_store_key(config->store_key_file);
    if (!key) return std::unexpected(key.error());
    auto store = open_store(data / store_file, *key, lock ? Company::alone : Company::running);
    if (!store) return std::unexpected(store.error());
    OpenFolder out{.config = *std::move(config), .lock = std::nullopt, .store = *std::move(store)};
    if (lock) out.lock.emplace(*std::move(lock));
    return out;
}

}  // namespace sotto::keyserver
