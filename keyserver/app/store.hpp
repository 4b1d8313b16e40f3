// The store of a data folder: its key, its version, its lock.
#pragma once

#include <filesystem>

#include "keyserver/app/config.hpp"
#include "sotto/storage/profile.hpp"

namespace sotto::keyserver {

inline constexpr const char* store_file = "store.db";

/// 64 hexadecimal digits in a file; warns if others can read it.
[[nodiscard]] Outcome<storage::DatabaseKey> read_store_key(const std::filesystem::path& file);

enum class Company : std::uint8_t {
    alone,    ///< the lock is held: a store of an older version is copied, then migrated
    running,  ///< a server may run on it: an older version is refused
    none,     ///< nobody else knows of it: an older version is migrated
};
/// What a failure of the store means to a person.
[[nodiscard]] Problem store_problem(const storage::Error& error, const std::filesystem::path& file);
[[nodiscard]] Outcome<storage::Database> open_store(const std::filesystem::path& file,
                                                    const storage::DatabaseKey& key, Company company);

/// A store that a command works on beside the server, or alone where none runs.
struct OpenFolder {
    Config config;
    std::optional<storage::ProfileLock> lock;  ///< none: a server runs
    storage::Database store;

    [[nodiscard]] bool server_runs() const { return !lock; }
};
/// Refused where the folder holds no server.
[[nodiscard]] Outcome<OpenFolder> open_folder(const std::filesystem::path& data);

}  // namespace sotto::keyserver
