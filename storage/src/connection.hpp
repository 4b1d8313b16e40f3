// What a Database, its statements and its transactions share. The one header that includes SQLCipher's.
#pragma once

#ifndef SQLITE_HAS_CODEC
#error "without SQLITE_HAS_CODEC SQLCipher's header hides sqlite3_key_v2"
#endif
#include <sqlcipher/sqlite3.h>

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "sotto/storage/database.hpp"

namespace sotto::storage::detail {

struct StringHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept {
        return std::hash<std::string_view>{}(text);
    }
};

struct Connection {
    Connection() = default;
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    ~Connection();

    /// Opens an existing file (empty: a new database) and hands over the key. Nothing is read yet.
    [[nodiscard]] Result<void> open(const std::filesystem::path& file, const DatabaseKey& key,
                                    bool guard_memory);

    /// The meaning of a result code that isn't OK, ROW or DONE. Throws for bugs and exhausted memory. The
    /// detail is made of SQLite's fixed sentences: its own messages can quote what was bound.
    [[nodiscard]] Error error(int code) const;

    /// A statement from the cache, or a new one.
    [[nodiscard]] Result<sqlite3_stmt*> take(std::string_view sql);
    void give_back(sqlite3_stmt* stmt) noexcept;

    [[nodiscard]] Result<void> execute(std::string_view sql);
    /// First column of the first row; empty if there is none.
    [[nodiscard]] Result<std::string> ask(std::string_view sql);

    /// The error that stops every statement up to the end of the running transaction.
    [[nodiscard]] const Error* doom() const { return depth > 0 && doomed ? &*doomed : nullptr; }
    /// Called after a failure: if SQLite has rolled the transaction back by itself, it is doomed.
    void note_failure(const Error& why);
    void rollback() const noexcept;

    sqlite3* handle = nullptr;
    int depth = 0;  ///< Transaction objects alive
    std::optional<Error> doomed;

  private:
    /// Idle statements by their text; one that is taken isn't in it.
    std::unordered_map<std::string, std::vector<sqlite3_stmt*>, StringHash, std::equal_to<>> idle_;
    std::size_t idle_count_ = 0;
};

/// Sets what the store relies on and reads each value back.
[[nodiscard]] Result<void> configure(Connection& connection, const DatabaseOptions& options);
/// True for "4.6.1 community" and everything after it.
[[nodiscard]] bool cipher_version_suffices(std::string_view version);
/// Every page's HMAC and SQLite's own check.
[[nodiscard]] Result<void> check_integrity(Connection& connection);
/// The version that the store has; 0 for a new one.
[[nodiscard]] Result<int> version_of(Connection& connection);
[[nodiscard]] Result<void> migrate(Connection& connection, std::span<const Migration> migrations);

}  // namespace sotto::storage::detail
