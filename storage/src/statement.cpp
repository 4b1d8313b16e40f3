#include <new>
#include <stdexcept>

#include "connection.hpp"

namespace sotto::storage {

namespace {

// SQLite copies what is bound; with cipher_memory_security it wipes the copy when the binding is cleared.
const auto copied = SQLITE_TRANSIENT;

}  // namespace

Statement::Statement(Statement&& other) noexcept
    : connection_(other.connection_),
      stmt_(std::exchange(other.stmt_, nullptr)),
      failed_(std::move(other.failed_)),
      next_(other.next_) {}

Statement::~Statement() {
    if (stmt_ != nullptr) connection_->give_back(stmt_);
}

void Statement::reset() noexcept {
    sqlite3_reset(stmt_);
    sqlite3_clear_bindings(stmt_);
    next_ = 1;
}

void Statement::bound(int code) {
    if (code == SQLITE_NOMEM) throw std::bad_alloc();
    if (code != SQLITE_OK)
        throw std::logic_error(std::string{"binding to SQL: "} + sqlite3_errstr(code) + ": " +
                               sqlite3_sql(stmt_));
}

Statement& Statement::bind(std::int64_t value) {
    if (stmt_ != nullptr) bound(sqlite3_bind_int64(stmt_, next_++, value));
    return *this;
}

Statement& Statement::bind(ByteView value) {
    if (stmt_ == nullptr) return *this;
    // A null pointer would bind NULL, and an empty span may have one.
    bound(value.empty() ? sqlite3_bind_zeroblob(stmt_, next_++, 0)
                        : sqlite3_bind_blob64(stmt_, next_++, value.data(), value.size(), copied));
    return *this;
}

Statement& Statement::bind_text(std::string_view value) {
    if (stmt_ == nullptr) return *this;
    bound(sqlite3_bind_text64(stmt_, next_++, value.empty() ? "" : value.data(), value.size(), copied,
                              SQLITE_UTF8));
    return *this;
}

Statement& Statement::bind_null() {
    if (stmt_ != nullptr) bound(sqlite3_bind_null(stmt_, next_++));
    return *this;
}

Result<bool> Statement::step() {
    if (failed_) return std::unexpected(*failed_);
    if (const auto* const why = connection_->doom()) return std::unexpected(*why);
    const int code = sqlite3_step(stmt_);
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) return false;
    auto why = connection_->error(code);
    reset();
    connection_->note_failure(why);
    return std::unexpected(std::move(why));
}

Result<void> Statement::run() {
    const auto row = step();
    if (!row) return std::unexpected(row.error());
    const std::string sql = *row ? sqlite3_sql(stmt_) : "";
    reset();
    if (*row) throw std::logic_error("SQL gave a row where none was expected: " + sql);
    return {};
}

std::int64_t Statement::integer(int column) const {
    return sqlite3_column_int64(stmt_, column);
}

std::string Statement::text(int column) const {
    return std::string{chars_of(blob_view(column))};
}

Bytes Statement::blob(int column) const {
    return to_bytes(blob_view(column));
}

crypto::SecretBytes Statement::secret_blob(int column) const {
    return crypto::to_secret_bytes(blob_view(column));
}

ByteView Statement::blob_view(int column) const {
    const auto* const data = static_cast<const std::byte*>(sqlite3_column_blob(stmt_, column));
    const int size = sqlite3_column_bytes(stmt_, column);
    return data == nullptr ? ByteView{} : ByteView{data, static_cast<std::size_t>(size)};
}

bool Statement::is_null(int column) const {
    return sqlite3_column_type(stmt_, column) == SQLITE_NULL;
}

}  // namespace sotto::storage
