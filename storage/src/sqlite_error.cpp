// What SQLite's result codes mean to a store.
#include <cerrno>
#include <new>
#include <stdexcept>
#include <string_view>

#include "connection.hpp"
#include "files.hpp"

namespace sotto::storage::detail {

namespace {

/// After a page failed its HMAC, SQLCipher answers later reads with SQLITE_ERROR and SQLite's general
/// sentence. Every mistake in SQL text has a sentence of its own.
bool has_own_sentence(sqlite3* handle) {
    return std::string_view{sqlite3_errmsg(handle)} != sqlite3_errstr(SQLITE_ERROR);
}

Code code_of_constraint(int extended, bool& bug) {
    switch (extended) {
        case SQLITE_CONSTRAINT_UNIQUE:
        case SQLITE_CONSTRAINT_PRIMARYKEY:
        case SQLITE_CONSTRAINT_ROWID:
        case SQLITE_CONSTRAINT_FOREIGNKEY:
            return Code::conflict;
        default:
            bug = true;
            return Code::io;
    }
}

Code code_of_io(int extended, int error_number) {
    switch (extended) {
        case SQLITE_IOERR_NOMEM:
            throw std::bad_alloc();
        case SQLITE_IOERR_SHMSIZE:  // it comes without an errno, and it is always about growing the file
            return Code::full;
        case SQLITE_IOERR_CORRUPTFS:
        case SQLITE_IOERR_DATA:
            return Code::damaged;
        default:
            return code_of(error_number) == Code::full ? Code::full : Code::io;
    }
}

Code code_of_result(sqlite3* handle, int extended, bool& bug) {
    const int error_number = handle == nullptr ? 0 : sqlite3_system_errno(handle);
    switch (extended & 0xff) {
        case SQLITE_NOMEM:
            throw std::bad_alloc();
        case SQLITE_FULL:
            return Code::full;
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
        case SQLITE_FORMAT:
            return Code::damaged;
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
        case SQLITE_PROTOCOL:
            return Code::in_use;
        case SQLITE_READONLY:
        case SQLITE_PERM:
        case SQLITE_AUTH:
            return Code::denied;
        case SQLITE_CANTOPEN:
            return code_of(error_number);
        case SQLITE_IOERR:
            return code_of_io(extended, error_number);
        case SQLITE_CONSTRAINT:
            return code_of_constraint(extended, bug);
        case SQLITE_ABORT:  // a read that a rollback has ended
        case SQLITE_INTERRUPT:
        case SQLITE_NOLFS:
            return Code::io;
        case SQLITE_ERROR:
            bug = has_own_sentence(handle);
            return Code::damaged;
        default:
            bug = true;
            return Code::io;
    }
}

}  // namespace

Error Connection::error(int code) const {
    const int extended = code > 0xff || handle == nullptr ? code : sqlite3_extended_errcode(handle);
    bool bug = false;
    const auto meaning = code_of_result(handle, (extended & 0xff) == (code & 0xff) ? extended : code, bug);
    if (bug) throw std::logic_error(std::string{"SQL: "} + sqlite3_errmsg(handle));
    return {.code = meaning,
            .detail = std::string{sqlite3_errstr(code)} + " (SQLite " + std::to_string(code) + ")"};
}

}  // namespace sotto::storage::detail
