#include <gtest/gtest.h>

#include "connection.hpp"
#include "scratch.hpp"

namespace sotto::storage::test {
namespace {

/// Something else in the process that changes SQLCipher's defaults for every later database.
class ForeignDefault {
  public:
    ForeignDefault(std::string_view set, std::string_view back) : back_(back) {
        sqlite3_open(":memory:", &handle_);
        sqlite3_exec(handle_, std::string{set}.c_str(), nullptr, nullptr, nullptr);
    }
    ForeignDefault(const ForeignDefault&) = delete;
    ForeignDefault& operator=(const ForeignDefault&) = delete;
    ~ForeignDefault() {
        sqlite3_exec(handle_, back_.c_str(), nullptr, nullptr, nullptr);
        sqlite3_close(handle_);
    }

  private:
    std::string back_;
    sqlite3* handle_ = nullptr;
};

std::string ask(Database& db, std::string_view pragma) {
    auto statement = db.prepare("PRAGMA " + std::string{pragma});
    return must(statement.step()) ? statement.text(0) : "";
}

bool guarded_already() {
    sqlite3* handle = nullptr;
    sqlite3_open(":memory:", &handle);
    bool on = false;
    const auto answer = [](void* result, int, char** values, char**) {
        *static_cast<bool*>(result) = std::string_view{values[0]} == "1";
        return 0;
    };
    sqlite3_exec(handle, "PRAGMA cipher_memory_security", answer, &on, nullptr);
    sqlite3_close(handle);
    return on;
}

TEST(Settings, AreWhatTheStoreReliesOn) {
    const Scratch folder;
    auto db = open_numbers(folder / "store.db");
    EXPECT_EQ(ask(db, "journal_mode"), "wal");
    EXPECT_EQ(ask(db, "synchronous"), "2");
    EXPECT_EQ(ask(db, "secure_delete"), "1");
    EXPECT_EQ(ask(db, "foreign_keys"), "1");
    EXPECT_EQ(ask(db, "temp_store"), "2");
    EXPECT_EQ(ask(db, "trusted_schema"), "0");
    EXPECT_EQ(ask(db, "cipher_memory_security"), "1");
    EXPECT_EQ(ask(db, "cipher_hmac_algorithm"), "HMAC_SHA512");
    EXPECT_EQ(ask(db, "cipher_plaintext_header_size"), "0");
    auto lazy = open_numbers(folder / "lazy.db", {.full_sync = false});
    EXPECT_EQ(ask(lazy, "synchronous"), "1");
}

TEST(Settings, GuardMemoryUnlessToldNotTo) {
    const Scratch folder;
    // Once it is on, it stays on for the process: hence a child for each.
    const auto guarded = [&](bool guard) {
        const Line line;
        Child child{[&] {
            auto db = open_numbers(folder / "store.db", {.guard_memory = guard});
            line.say(ask(db, "cipher_memory_security") == "1" ? 1 : 2);
        }};
        const auto heard = line.hear();
        EXPECT_EQ(child.wait(), 0);
        return heard == 1;
    };
    EXPECT_TRUE(guarded(true));
    if (guarded_already()) GTEST_SKIP() << "an earlier test of this process has switched it on for good";
    EXPECT_FALSE(guarded(false));
}

TEST(Settings, RefuseAHeaderInPlainText) {
    const Scratch folder;
    const ForeignDefault foreign{"PRAGMA cipher_default_plaintext_header_size = 32",
                                 "PRAGMA cipher_default_plaintext_header_size = 0"};
    const auto opened = Database::open(folder / "store.db", key_of(1), numbers_table);
    EXPECT_EQ(code_of(opened), Code::io);
    EXPECT_NE(opened.error().detail.find("cipher_plaintext_header_size"), std::string::npos);
}

TEST(Settings, RefusePagesWithoutAuthentication) {
    const Scratch folder;
    const ForeignDefault foreign{"PRAGMA cipher_default_use_hmac = OFF",
                                 "PRAGMA cipher_default_use_hmac = ON"};
    EXPECT_EQ(code_of(Database::open(folder / "store.db", key_of(1), numbers_table)), Code::io);
}

TEST(Settings, AskForSqlcipher461) {
    using detail::cipher_version_suffices;
    EXPECT_TRUE(cipher_version_suffices("4.6.1 community"));
    EXPECT_TRUE(cipher_version_suffices("4.10.0 community"));
    EXPECT_TRUE(cipher_version_suffices("5.0.0"));
    EXPECT_TRUE(cipher_version_suffices("4.7.0"));
    EXPECT_FALSE(cipher_version_suffices("4.6.0 community"));
    EXPECT_FALSE(cipher_version_suffices("3.4.1"));
    EXPECT_FALSE(cipher_version_suffices("4.5"));
    EXPECT_FALSE(cipher_version_suffices("4"));
    EXPECT_FALSE(cipher_version_suffices(""));
    EXPECT_FALSE(cipher_version_suffices("community"));
}

TEST(Settings, KeepFts5TablesFromBeingWrittenByHand) {
    const Scratch folder;
    auto db = open_numbers(folder / "store.db");
    must(db.execute("CREATE VIRTUAL TABLE words USING fts5(word)"));
    EXPECT_THROW((void)db.execute("DELETE FROM words_data"), std::logic_error);
}

// The codes that can't be brought about at will.
TEST(ErrorCodes, MeanWhatTheirTableSays) {
    const Scratch folder;
    detail::Connection connection;
    overwrite(folder / "store.db", "");
    must(connection.open(folder / "store.db", key_of(1), true));
    const auto code = [&](int sqlite) { return connection.error(sqlite).code; };
    EXPECT_EQ(code(SQLITE_FULL), Code::full);
    EXPECT_EQ(code(SQLITE_CORRUPT_VTAB), Code::damaged);
    EXPECT_EQ(code(SQLITE_BUSY_SNAPSHOT), Code::in_use);
    EXPECT_EQ(code(SQLITE_LOCKED), Code::in_use);
    EXPECT_EQ(code(SQLITE_PROTOCOL), Code::in_use);
    EXPECT_EQ(code(SQLITE_READONLY_DIRECTORY), Code::denied);
    EXPECT_EQ(code(SQLITE_PERM), Code::denied);
    EXPECT_EQ(code(SQLITE_IOERR_FSYNC), Code::io);
    EXPECT_EQ(code(SQLITE_IOERR_SHMSIZE), Code::full);
    EXPECT_EQ(code(SQLITE_IOERR_CORRUPTFS), Code::damaged);
    EXPECT_EQ(code(SQLITE_CANTOPEN_FULLPATH), Code::io);
    EXPECT_EQ(code(SQLITE_ABORT_ROLLBACK), Code::io);
    EXPECT_THROW((void)code(SQLITE_NOMEM), std::bad_alloc);
    EXPECT_THROW((void)code(SQLITE_IOERR_NOMEM), std::bad_alloc);
    EXPECT_THROW((void)code(SQLITE_MISUSE), std::logic_error);
    EXPECT_THROW((void)code(SQLITE_CONSTRAINT_CHECK), std::logic_error);
    EXPECT_FALSE(connection.error(SQLITE_FULL).detail.empty());
}

}  // namespace
}  // namespace sotto::storage::test
