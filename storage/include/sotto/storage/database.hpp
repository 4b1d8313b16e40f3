// One SQLCipher database: opening, statements, transactions, migrations. Shared by client and key server.
// A database belongs to one thread at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "sotto/crypto/bytes.hpp"
#include "sotto/crypto/secret.hpp"
#include "sotto/storage/error.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace sotto::storage {

struct DatabaseKeyTag;
/// Handed to SQLCipher as a raw key: no second stretching.
using DatabaseKey = crypto::Secret<DatabaseKeyTag, 32>;

class Database;

/// A prepared statement, taken from the database's cache and reset when it goes. Bind from 1 in order; columns from 0.
/// SQL errors that mean a bug throw std::logic_error; full disk, i/o and corruption come back as Error from step().
class Statement {
  public:
    Statement(Statement&&) noexcept;
    Statement& operator=(Statement&&) = delete;
    Statement(const Statement&) = delete;
    Statement& operator=(const Statement&) = delete;
    ~Statement();

    Statement& bind(std::int64_t value);
    Statement& bind(ByteView value);          ///< blob; the bytes are copied
    Statement& bind_text(std::string_view value);
    Statement& bind_null();
    template <class... Values>
    Statement& bind_all(const Values&... values) {
        (bind_one(values), ...);
        return *this;
    }

    /// True while there is a row.
    [[nodiscard]] Result<bool> step();
    /// Steps once; a row is not expected.
    [[nodiscard]] Result<void> run();

    [[nodiscard]] std::int64_t integer(int column) const;
    [[nodiscard]] std::string text(int column) const;
    [[nodiscard]] Bytes blob(int column) const;
    [[nodiscard]] crypto::SecretBytes secret_blob(int column) const;
    [[nodiscard]] ByteView blob_view(int column) const;  ///< valid until the next step
    [[nodiscard]] bool is_null(int column) const;
    /// Fills a fixed array; false if the column is not exactly N bytes.
    template <std::size_t N>
    [[nodiscard]] bool fixed(int column, std::span<std::byte, N> out) const {
        const auto view = blob_view(column);
        if (view.size() != N) return false;
        std::copy(view.begin(), view.end(), out.begin());
        return true;
    }

  private:
    friend class Database;
    Statement(Database& db, sqlite3_stmt* stmt, std::string sql);
    void bind_one(std::integral auto v) { bind(static_cast<std::int64_t>(v)); }
    void bind_one(std::string_view v) { bind_text(v); }
    void bind_one(ByteView v) { bind(v); }
    Database* db_;
    sqlite3_stmt* stmt_;
    std::string sql_;
    int next_ = 1;
};

/// Rolls back when it goes without commit(). Nested ones join the outer one: only the outermost commits.
class Transaction {
  public:
    explicit Transaction(Database& db);
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;
    ~Transaction();
    /// After an error nothing of the transaction is in the database.
    [[nodiscard]] Result<void> commit();

  private:
    Database* db_;
    bool outer_;
    bool done_ = false;
};

struct Migration {
    int version;           ///< from 1, without gaps
    std::string_view sql;  ///< run in one transaction with the change of user_version
};

struct DatabaseOptions {
    bool full_sync = true;  ///< synchronous=FULL: a commit survives power loss
};

class Database {
  public:
    /// Creates or opens. Sets and reads back: cipher settings, WAL, secure_delete, foreign keys, temp_store=memory. Runs the
    /// integrity check if the last process didn't close cleanly. Migrates forward; `newer` if the file is from a later version.
    [[nodiscard]] static Result<Database> open(const std::filesystem::path& file, const DatabaseKey& key,
                                               std::span<const Migration> migrations,
                                               const DatabaseOptions& options = {});
    Database(Database&&) noexcept;
    Database& operator=(Database&&) noexcept;
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;
    ~Database();

    [[nodiscard]] Statement prepare(std::string_view sql);
    [[nodiscard]] Result<void> execute(std::string_view sql);
    [[nodiscard]] std::int64_t last_insert_id() const;
    [[nodiscard]] std::int64_t changes() const;
    /// SQLCipher's HMAC check of every page and SQLite's own check.
    [[nodiscard]] Result<void> check();
    /// A consistent copy under the same key while in use.
    [[nodiscard]] Result<void> backup_to(const std::filesystem::path& file, const DatabaseKey& key);

  private:
    friend class Statement;
    friend class Transaction;
    struct Impl;
    explicit Database(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace sotto::storage
