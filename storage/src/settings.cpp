// SQLCipher answers OK to a PRAGMA that it doesn't know, so each one that matters is read back.
#include <array>
#include <charconv>

#include "connection.hpp"

namespace sotto::storage::detail {

namespace {

struct Setting {
    std::string_view name;
    std::string_view value;   ///< as it is set; empty: only read
    std::string_view answer;  ///< as it is read
};

constexpr std::array settings{
    // What SQLCipher 4 does by itself, unless something else in the process has changed its defaults.
    Setting{"cipher_use_hmac", "", "1"},
    Setting{"cipher_hmac_algorithm", "", "HMAC_SHA512"},
    Setting{"cipher_page_size", "", "4096"},
    Setting{"cipher_plaintext_header_size", "", "0"},
    // What SQLite has to be told.
    Setting{"journal_mode", "WAL", "wal"},
    Setting{"secure_delete", "ON", "1"},
    Setting{"foreign_keys", "ON", "1"},
    Setting{"temp_store", "MEMORY", "2"},
    Setting{"trusted_schema", "OFF", "0"},
    Setting{"cell_size_check", "ON", "1"},
    Setting{"recursive_triggers", "ON", "1"},
    Setting{"journal_size_limit", "8388608", "8388608"},
};

Result<void> apply(Connection& connection, const Setting& setting) {
    const auto pragma = "PRAGMA " + std::string{setting.name};
    if (!setting.value.empty())
        if (auto set = connection.execute(pragma + " = " + std::string{setting.value}); !set) return set;
    auto answer = connection.ask(pragma);
    if (!answer) return std::unexpected(std::move(answer.error()));
    if (*answer != setting.answer)
        return std::unexpected(Error{
            .code = Code::io,
            .detail = pragma + " is '" + *answer + "' instead of '" + std::string{setting.answer} + "'"});
    return {};
}

/// Switches that have no PRAGMA: an identifier in double quotes is never taken for a string, and nothing but
/// FTS5 itself writes to its tables.
Result<void> apply_switches(Connection& connection) {
    for (const auto& [which, on] :
         {std::pair{SQLITE_DBCONFIG_DQS_DDL, 0}, std::pair{SQLITE_DBCONFIG_DQS_DML, 0},
          std::pair{SQLITE_DBCONFIG_DEFENSIVE, 1}}) {
        int now = -1;
        if (const int code = sqlite3_db_config(connection.handle, which, on, &now); code != SQLITE_OK)
            return std::unexpected(connection.error(code));
        if (now != on)
            return std::unexpected(Error{.code = Code::io, .detail = "a switch of SQLite stays as it was"});
    }
    return {};
}

}  // namespace

bool cipher_version_suffices(std::string_view version) {
    constexpr std::array needed{4, 6, 1};
    std::array<int, 3> found{};
    const auto* at = version.data();
    const auto* const end = at + version.size();
    for (auto& part : found) {
        const auto [rest, wrong] = std::from_chars(at, end, part);
        if (wrong != std::errc{}) return false;
        at = rest != end && *rest == '.' ? rest + 1 : rest;
    }
    return found >= needed;
}

Result<void> configure(Connection& connection, const DatabaseOptions& options) {
    auto version = connection.ask("PRAGMA cipher_version");
    if (!version) return std::unexpected(std::move(version.error()));
    if (!cipher_version_suffices(*version))
        return std::unexpected(Error{
            .code = Code::io, .detail = "SQLCipher 4.6.1 or later is needed; this is '" + *version + "'"});
    if (auto applied = apply_switches(connection); !applied) return applied;
    for (const auto& setting : settings)
        if (auto applied = apply(connection, setting); !applied) return applied;
    const auto cache = "-" + std::to_string(options.cache_kib);
    if (auto applied = apply(connection, {"cache_size", cache, cache}); !applied) return applied;
    if (options.guard_memory)
        if (auto applied = apply(connection, {"cipher_memory_security", "", "1"}); !applied) return applied;
    return apply(connection, options.full_sync ? Setting{"synchronous", "FULL", "2"}
                                               : Setting{"synchronous", "NORMAL", "1"});
}

}  // namespace sotto::storage::detail
