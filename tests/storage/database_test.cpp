#include <limits>

#include "scratch.hpp"

namespace sotto::storage::test {
namespace {

class DatabaseTest : public ::testing::Test {
  protected:
    Scratch folder;
    std::filesystem::path file = folder / "store.db";
};

TEST_F(DatabaseTest, KeepsEveryKindOfValue) {
    {
        auto db = open_numbers(file);
        const Bytes bytes{std::byte{0}, std::byte{255}, std::byte{7}};
        must(db.prepare("INSERT INTO numbers VALUES (?, ?, ?)").bind_all(-5, "wörter", bytes).run());
        EXPECT_EQ(db.last_insert_id(), -5);
        EXPECT_EQ(db.changes(), 1);
        must(db.prepare("INSERT INTO numbers VALUES (?, ?, ?)")
                 .bind(std::numeric_limits<std::int64_t>::max())
                 .bind_null()
                 .bind_null()
                 .run());
    }
    auto db = open_numbers(file);
    auto statement = db.prepare("SELECT n, word, bytes FROM numbers ORDER BY n");
    ASSERT_TRUE(must(statement.step()));
    EXPECT_EQ(statement.integer(0), -5);
    EXPECT_EQ(statement.text(1), "wörter");
    EXPECT_EQ(statement.blob(2), (Bytes{std::byte{0}, std::byte{255}, std::byte{7}}));
    EXPECT_EQ(statement.secret_blob(2).size(), 3U);
    EXPECT_EQ(statement.blob_view(2).size(), 3U);
    EXPECT_FALSE(statement.is_null(1));
    Array<3> three{};
    EXPECT_TRUE(statement.fixed(2, std::span<std::byte, 3>{three}));
    EXPECT_EQ(three[1], std::byte{255});
    Array<4> four{};
    EXPECT_FALSE(statement.fixed(2, std::span<std::byte, 4>{four}));
    ASSERT_TRUE(must(statement.step()));
    EXPECT_EQ(statement.integer(0), std::numeric_limits<std::int64_t>::max());
    EXPECT_TRUE(statement.is_null(1));
    EXPECT_TRUE(statement.blob(2).empty());
    EXPECT_FALSE(must(statement.step()));
}

TEST_F(DatabaseTest, TellsAnEmptyValueFromNone) {
    auto db = open_numbers(file);
    must(db.prepare("INSERT INTO numbers VALUES (1, ?, ?)").bind_all(std::string_view{}, ByteView{}).run());
    must(db.prepare("INSERT INTO numbers VALUES (2, ?, ?)")
             .bind_all(std::optional<std::string>{}, std::optional<Array<4>>{})
             .run());
    must(db.prepare("INSERT INTO numbers VALUES (3, ?, ?)")
             .bind_all(std::optional<std::string>{""}, nullptr)
             .run());
    auto statement = db.prepare("SELECT word IS NULL, bytes IS NULL FROM numbers ORDER BY n");
    ASSERT_TRUE(must(statement.step()));
    EXPECT_EQ(statement.integer(0) + statement.integer(1), 0);
    ASSERT_TRUE(must(statement.step()));
    EXPECT_EQ(statement.integer(0) + statement.integer(1), 2);
    ASSERT_TRUE(must(statement.step()));
    EXPECT_EQ(statement.integer(0), 0);
    EXPECT_EQ(statement.integer(1), 1);
}

TEST_F(DatabaseTest, KeepsTextWithAZeroByteWhole) {
    auto db = open_numbers(file);
    const std::string word{"a\0b", 3};
    must(db.prepare("INSERT INTO numbers (word) VALUES (?)").bind_all(word).run());
    auto statement = db.prepare("SELECT word FROM numbers");
    ASSERT_TRUE(must(statement.step()));
    EXPECT_EQ(statement.text(0), word);
}

TEST_F(DatabaseTest, UsesOneStatementAgainAndAgain) {
    auto db = open_numbers(file);
    auto insert = db.prepare("INSERT INTO numbers (n, word) VALUES (?, ?)");
    for (int i = 0; i < 100; ++i) must(insert.bind_all(i, "w").run());
    EXPECT_EQ(count_numbers(db), 100);
}

TEST_F(DatabaseTest, ForgetsBindingsWhenAStatementGoesBackToTheCache) {
    auto db = open_numbers(file);
    constexpr std::string_view sql = "INSERT INTO numbers (n, word) VALUES (?, ?)";
    must(db.prepare(sql).bind_all(1, "one").run());
    must(db.prepare(sql).bind_all(2).run());
    auto statement = db.prepare("SELECT word FROM numbers WHERE n = 2");
    ASSERT_TRUE(must(statement.step()));
    EXPECT_TRUE(statement.is_null(0));
}

TEST_F(DatabaseTest, LetsTheSameTextBeUsedTwiceAtOnce) {
    auto db = open_numbers(file);
    for (int i = 0; i < 3; ++i) must(insert_number(db, i));
    constexpr std::string_view sql = "SELECT n FROM numbers ORDER BY n";
    auto outer = db.prepare(sql);
    int pairs = 0;
    while (must(outer.step())) {
        auto inner = db.prepare(sql);
        while (must(inner.step())) ++pairs;
    }
    EXPECT_EQ(pairs, 9);
}

TEST_F(DatabaseTest, BoundsTheNumberOfIdleStatements) {
    auto db = open_numbers(file);
    for (int i = 0; i < 1000; ++i) {
        auto statement = db.prepare("SELECT " + std::to_string(i));
        ASSERT_TRUE(must(statement.step()));
        ASSERT_EQ(statement.integer(0), i);
    }
}

TEST_F(DatabaseTest, MovesWithItsStatementsAlive) {
    auto db = open_numbers(file);
    must(insert_number(db, 7));
    auto statement = db.prepare("SELECT n FROM numbers");
    auto moved = std::move(db);
    auto taken = std::move(statement);
    ASSERT_TRUE(must(taken.step()));
    EXPECT_EQ(taken.integer(0), 7);
    EXPECT_EQ(count_numbers(moved), 1);
}

TEST_F(DatabaseTest, CanReplaceAnotherDatabase) {
    auto db = open_numbers(file);
    must(insert_number(db, 7));
    db = open_numbers(folder / "other.db");
    EXPECT_EQ(count_numbers(db), 0);
}

TEST_F(DatabaseTest, ThrowsOnMistakesInSql) {
    auto db = open_numbers(file);
    EXPECT_THROW((void)db.prepare("SELEC 1"), std::logic_error);
    EXPECT_THROW((void)db.prepare("SELECT 1 FROM nowhere"), std::logic_error);
    EXPECT_THROW((void)db.prepare(""), std::logic_error);
    EXPECT_THROW((void)db.prepare("SELECT 1; SELECT 2"), std::logic_error);
    EXPECT_THROW((void)db.execute("DROP TABLE nowhere"), std::logic_error);
    EXPECT_THROW((void)db.prepare("SELECT ?").bind_all(1, 2), std::logic_error);
    EXPECT_THROW((void)db.prepare("SELECT 1").run(), std::logic_error);
    EXPECT_THROW((void)db.prepare("INSERT INTO numbers (bytes) VALUES ('text')").run(), std::logic_error);
    EXPECT_THROW((void)db.execute("SELECT \"no such column\""), std::logic_error);
    EXPECT_EQ(count_numbers(db), 0);
}

TEST_F(DatabaseTest, RunsSeveralStatementsAtOnce) {
    auto db = open_numbers(file);
    must(
        db.execute("INSERT INTO numbers (n) VALUES (1); -- a comment\n"
                   "INSERT INTO numbers (n) VALUES (2); SELECT n FROM numbers;\n"
                   "-- the end"));
    EXPECT_EQ(count_numbers(db), 2);
}

TEST_F(DatabaseTest, CallsATakenUniqueValueAConflict) {
    auto db = open_numbers(file);
    must(db.execute("CREATE TABLE child (parent INTEGER NOT NULL REFERENCES numbers (n)) STRICT"));
    must(insert_number(db, 1));
    EXPECT_EQ(code_of(insert_number(db, 1)), Code::conflict);
    EXPECT_EQ(code_of(db.execute("INSERT INTO child VALUES (99)")), Code::conflict);
    EXPECT_THROW((void)db.execute("INSERT INTO child VALUES (NULL)"), std::logic_error);
    must(insert_number(db, 2));
    EXPECT_EQ(count_numbers(db), 2);
}

TEST_F(DatabaseTest, SaysNothingOfBoundValuesInErrors) {
    auto db = open_numbers(file);
    must(db.execute("CREATE UNIQUE INDEX words ON numbers (word)"));
    const auto insert = [&] {
        return db.prepare("INSERT INTO numbers (word) VALUES (?)").bind_all("sentinel").run();
    };
    must(insert());
    const auto again = insert();
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().detail.find("sentinel"), std::string::npos);
}

TEST_F(DatabaseTest, DoesNotOpenUnderAnotherKey) {
    {
        auto db = open_numbers(file);
    }
    EXPECT_EQ(code_of(Database::open(file, key_of(2), numbers_table)), Code::damaged);
    auto db = open_numbers(file);
    EXPECT_EQ(count_numbers(db), 0);
}

TEST_F(DatabaseTest, RefusesWhatIsNoDatabase) {
    overwrite(file, "This has never been a database.");
    EXPECT_EQ(code_of(Database::open(file, key_of(1), numbers_table)), Code::damaged);
    EXPECT_EQ(file_text(file), "This has never been a database.");
    overwrite(folder / "plain", std::string{"SQLite format 3\0", 16} + std::string(8176, 'x'));
    EXPECT_EQ(code_of(Database::open(folder / "plain", key_of(1), numbers_table)), Code::damaged);
    overwrite(folder / "cut", "x");
    EXPECT_EQ(code_of(Database::open(folder / "cut", key_of(1), numbers_table)), Code::damaged);
    EXPECT_EQ(file_text(folder / "cut"), "x");
    EXPECT_EQ(code_of(Database::open(folder.path(), key_of(1), numbers_table)), Code::denied);
    EXPECT_EQ(code_of(Database::open(folder / "no/such/folder", key_of(1), numbers_table)), Code::missing);
}

TEST_F(DatabaseTest, TakesAnEmptyFileForANewDatabase) {
    overwrite(file, "");
    auto db = open_numbers(file);
    EXPECT_EQ(count_numbers(db), 0);
}

TEST_F(DatabaseTest, DoesNotThrowAwayTheLogOfAnEmptiedFile) {
    overwrite(file, "");
    overwrite(beside(file, "-wal"), "committed changes");
    EXPECT_EQ(code_of(Database::open(file, key_of(1), numbers_table)), Code::damaged);
    EXPECT_EQ(file_text(beside(file, "-wal")), "committed changes");
}

TEST_F(DatabaseTest, IsReadableByItsOwnerOnlyWhateverTheUmask) {
    for (const mode_t mask : {0000U, 0022U, 0777U}) {
        const auto name = folder / ("store" + std::to_string(mask));
        const auto before = ::umask(mask);
        auto db = open_numbers(name);
        const auto inserted = insert_number(db, 1);
        ::umask(before);
        must(inserted);
        EXPECT_EQ(mode_of(name), 0600U);
        EXPECT_EQ(mode_of(beside(name, "-wal")), 0600U);
        EXPECT_EQ(mode_of(beside(name, "-shm")), 0600U);
    }
}

TEST_F(DatabaseTest, TakesPermissionsBackFromOthers) {
    {
        auto db = open_numbers(file);
    }
    ::chmod(file.c_str(), 0644);
    auto db = open_numbers(file);
    EXPECT_EQ(mode_of(file), 0600U);
}

TEST_F(DatabaseTest, LeavesOneFileWhenClosed) {
    {
        auto db = open_numbers(file);
        must(insert_number(db, 1));
        EXPECT_TRUE(std::filesystem::exists(beside(file, "-wal")));
    }
    const auto files = std::distance(std::filesystem::directory_iterator{folder.path()}, {});
    EXPECT_EQ(files, 1);
}

TEST_F(DatabaseTest, IsSharedByTwoConnections) {
    auto first = open_numbers(file);
    auto second = open_numbers(file, {.check_after_crash = false});
    must(insert_number(first, 1));
    EXPECT_EQ(count_numbers(second), 1);
    must(insert_number(second, 2));
    EXPECT_EQ(count_numbers(first), 2);
    must(first.check());
}

}  // namespace
}  // namespace sotto::storage::test
