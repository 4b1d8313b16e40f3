#include "connection.hpp"

#include <stdexcept>

namespace sotto::storage::detail {

namespace {

constexpr int busy_timeout_ms = 2000;
constexpr std::size_t max_idle_statements = 256;

/// The form in which SQLCipher takes a key as it is: x'…' in hexadecimal. Wiped when it goes.
class RawKey {
  public:
    explicit RawKey(const DatabaseKey& key) {
        std::size_t at = 0;
        text_[at++] = 'x';
        text_[at++] = '\'';
        for (const auto byte : key.expose()) {
            text_[at++] = digit(std::to_integer<unsigned>(byte >> 4));
            text_[at++] = digit(std::to_integer<unsigned>(byte & std::byte{0x0f}));
        }
        text_[at] = '\'';
    }
    RawKey(const RawKey&) = delete;
    RawKey& operator=(const RawKey&) = delete;
    ~RawKey() { crypto::wipe(text_.data(), text_.size()); }
    [[nodiscard]] const char* data() const { return text_.data(); }
    [[nodiscard]] int size() const { return static_cast<int>(text_.size()); }

  private:
    /// By arithmetic: no table that secret bytes would index.
    static char digit(unsigned value) {
        const unsigned above_nine = ((9U - value) >> 31U) & 1U;
        return static_cast<char>('0' + value + above_nine * ('a' - '0' - 10));
    }
    std::array<char, 2 * DatabaseKey::size + 3> text_{};
};

bool blank(std::string_view text) {
    return text.find_first_not_of(" \t\r\n;") == std::string_view::npos;
}

}  // namespace

Connection::~Connection() {
    for (const auto& [sql, statements] : idle_)
        for (auto* const stmt : statements) sqlite3_finalize(stmt);
    sqlite3_close_v2(handle);
}

Result<void> Connection::open(const std::filesystem::path& file, const DatabaseKey& key, bool guard_memory) {
    const int flags =
        SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE;
    if (const int code = sqlite3_open_v2(file.c_str(), &handle, flags, nullptr); code != SQLITE_OK)
        return std::unexpected(error(code));
    sqlite3_busy_timeout(handle, busy_timeout_ms);
    // Before the key is there: no word of the library's own on standard error, wiped and locked memory.
    auto done = execute("PRAGMA cipher_log_level = NONE");
    if (done && guard_memory) done = execute("PRAGMA cipher_memory_security = ON");
    if (!done) return done;
    const RawKey raw{key};
    if (const int code = sqlite3_key_v2(handle, "main", raw.data(), raw.size()); code != SQLITE_OK)
        return std::unexpected(error(code));
    // The first key of a process brings the library's own level back.
    return execute("PRAGMA cipher_log_level = NONE");
}

Result<sqlite3_stmt*> Connection::take(std::string_view sql) {
    if (const auto known = idle_.find(sql); known != idle_.end() && !known->second.empty()) {
        auto* const stmt = known->second.back();
        known->second.pop_back();
        --idle_count_;
        return stmt;
    }
    sqlite3_stmt* stmt = nullptr;
    const char* rest = nullptr;
    const int code = sqlite3_prepare_v3(handle, sql.data(), static_cast<int>(sql.size()),
                                        SQLITE_PREPARE_PERSISTENT, &stmt, &rest);
    if (code != SQLITE_OK) return std::unexpected(error(code));
    if (stmt == nullptr || !blank(sql.substr(static_cast<std::size_t>(rest - sql.data())))) {
        sqlite3_finalize(stmt);
        throw std::logic_error("not one SQL statement: " + std::string{sql});
    }
    return stmt;
}

void Connection::give_back(sqlite3_stmt* stmt) noexcept {
    sqlite3_reset(stmt);
    sqlite3_clear_bindings(stmt);
    if (idle_count_ >= max_idle_statements) {
        sqlite3_finalize(stmt);
        return;
    }
    try {
        idle_[sqlite3_sql(stmt)].push_back(stmt);
        ++idle_count_;
    } catch (...) {
        sqlite3_finalize(stmt);
    }
}

Result<void> Connection::execute(std::string_view sql) {
    while (!blank(sql)) {
        if (const auto* const why = doom()) return std::unexpected(*why);
        sqlite3_stmt* stmt = nullptr;
        const char* rest = nullptr;
        int code = sqlite3_prepare_v2(handle, sql.data(), static_cast<int>(sql.size()), &stmt, &rest);
        while (code == SQLITE_OK || code == SQLITE_ROW) {
            if (stmt == nullptr) break;  // a comment
            code = sqlite3_step(stmt);
        }
        sqlite3_finalize(stmt);
        if (code != SQLITE_OK && code != SQLITE_DONE) {
            auto why = error(code);
            note_failure(why);
            return std::unexpected(std::move(why));
        }
        sql.remove_prefix(static_cast<std::size_t>(rest - sql.data()));
    }
    return {};
}

Result<std::string> Connection::ask(std::string_view sql) {
    auto stmt = take(sql);
    if (!stmt) return std::unexpected(std::move(stmt.error()));
    const int code = sqlite3_step(*stmt);
    std::string answer;
    if (code == SQLITE_ROW && sqlite3_column_bytes(*stmt, 0) > 0)
        answer = reinterpret_cast<const char*>(sqlite3_column_text(*stmt, 0));
    sqlite3_finalize(*stmt);  // asked once
    if (code != SQLITE_ROW && code != SQLITE_DONE) return std::unexpected(error(code));
    return answer;
}

void Connection::note_failure(const Error& why) {
    if (depth > 0 && !doomed && sqlite3_get_autocommit(handle) != 0) doomed = why;
}

void Connection::rollback() const noexcept {
    if (sqlite3_get_autocommit(handle) == 0) sqlite3_exec(handle, "ROLLBACK", nullptr, nullptr, nullptr);
}

}  // namespace sotto::storage::detail
