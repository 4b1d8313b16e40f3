// One SQLCipher database: opening, statements, transactions, migrations. Shared by client and key server.
// A database belongs to one thread at a time.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "sotto/crypto/bytes.hpp"
#include "sotto/crypto/secret.hpp"
#include "sotto/storage/error.hpp"

struct sqlite3_stmt;

namespace sotto::storage {

struct DatabaseKeyTag;
/// Handed to SQLCipher as a raw key: no second stretching.
using DatabaseKey = crypto::Secret<DatabaseKeyTag, 32>;

namespace detail {
struct Connection;
}

class Database;

/// A prepared statement, taken from the database's cache and given back when it goes, which must be before
/// the database does. Values are bound in order from the first; columns count from 0. SQL errors that mean a
/// bug throw std::logic_error; full disk, i/o, corruption and a taken unique value come back as Error from
/// step().
class Statement {
  public:
    Statement(Statement&& other) noexcept;
    Statement& operator=(Statement&&) = delete;
    Statement(const Statement&) = delete;
    Statement& operator=(const Statement&) = delete;
    ~Statement();

    Statement& bind(std::int64_t value);
    Statement& bind(ByteView value);  ///< blob; the bytes are copied
    Statement& bind_text(std::string_view value);
    Statement& bind_null();
    /// Integers and enumerations, text, blobs, nullptr, and optionals of these.
    template <class... Values>
    Statement& bind_all(const Values&... values) {
        (bind_one(values), ...);
        return *this;
    }

    /// True while there is a row.
    [[nodiscard]] Result<bool> step();
    /// Runs to the end, expecting no row, and is ready to be bound again.
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
    Statement(detail::Connection& connection, sqlite3_stmt* stmt) : connection_(&connection), stmt_(stmt) {}
    /// One that could not be prepared: every step says why.
    Statement(detail::Connection& connection, Error failed)
        : connection_(&connection), failed_(std::move(failed)) {}
    void reset() noexcept;
    void bound(int code);
    void bind_one(std::integral auto value) { bind(static_cast<std::int64_t>(value)); }
    template <class E>
        requires std::is_enum_v<E>
    void bind_one(E value) {
        bind(static_cast<std::int64_t>(value));
    }
    void bind_one(std::string_view value) { bind_text(value); }
    void bind_one(ByteView value) { bind(value); }
    void bind_one(std::nullptr_t /*none*/) { bind_null(); }
    template <class T>
    void bind_one(const std::optional<T>& value) {
        if (value)
            bind_one(*value);
        else
            bind_null();
    }
    detail::Connection* connection_;
    sqlite3_stmt* stmt_ = nullptr;
    std::optional<Error> failed_;
    int next_ = 1;
};

/// Rolls back when it goes without commit(). Nested ones join the outer one: only the outermost commits, and
/// it can't any more once an inner one was given up. When a transaction can't begin, or SQLite has rolled it
/// back on a failure, every statement up to its end fails with that error: nothing slips through on its own.
class Transaction {
  public:
    explicit Transaction(Database& db);
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;
    ~Transaction();
    /// After an error nothing of the transaction is in the database.
    [[nodiscard]] Result<void> commit();

  private:
    detail::Connection* connection_;
    bool done_ = false;
};

struct Migration {
    int version;           ///< from 1, without gaps
    std::string_view sql;  ///< run in one transaction with the change of user_version
};

struct DatabaseOptions {
    bool full_sync = true;          ///< synchronous=FULL: a commit survives power loss
    bool check_after_crash = true;  ///< off for a further connection to a file that is known to be in use
    /// SQLite's memory is locked and wiped when it is freed (cipher_memory_security). It holds for the whole
    /// process from the first database that asks for it, and makes statements up to four times as dear: two
    /// system calls for every allocation. Off is for a store whose content is encrypted or public by itself.
    bool guard_memory = true;
    /// For decrypted pages, in KiB. A page that is not there is read, checked and decrypted whole.
    unsigned cache_kib = 8192;
    /// Called before a store of the lower version `from` is changed. An error gives the opening up, and the
    /// store is as it was.
    // NOLINTNEXTLINE(readability-redundant-member-init): a designated initialiser may leave it away
    std::function<Result<void>(Database& store, int from)> before_migration = {};
};

class Database {
  public:
    /// Creates (0600) or opens. Sets and reads back: cipher settings, WAL, secure_delete, foreign keys,
    /// temp_store=memory. Runs the integrity check if the last process didn't close cleanly. Migrates
    /// forward; `newer` if the file is from a later version, `damaged` also if the key is another one (the
    /// two can't be told apart).
    [[nodiscard]] static Result<Database> open(const std::filesystem::path& file, const DatabaseKey& key,
                                               std::span<const Migration> migrations,
                                               const DatabaseOptions& options = {});
    Database(Database&& other) noexcept;
    Database& operator=(Database&& other) noexcept;
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;
    ~Database();

    /// One statement.
    [[nodiscard]] Statement prepare(std::string_view sql);
    /// Any number of statements, each on its own outside a transaction; rows are passed over.
    [[nodiscard]] Result<void> execute(std::string_view sql);
    [[nodiscard]] std::int64_t last_insert_id() const;
    [[nodiscard]] std::int64_t changes() const;
    /// SQLCipher's HMAC check of every page and SQLite's own check.
    [[nodiscard]] Result<void> check();
    /// A consistent copy under the same key while in use, but not inside a transaction; `exists` if the file
    /// is there. It appears under its name when it is complete and durable.
    [[nodiscard]] Result<void> backup_to(const std::filesystem::path& file, const DatabaseKey& key);

  private:
    friend class Transaction;
    explicit Database(std::unique_ptr<detail::Connection> connection);
    std::unique_ptr<detail::Connection> connection_;
};

}  // namespace sotto::storage
