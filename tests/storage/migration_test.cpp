#include "scratch.hpp"

namespace sotto::storage::test {
namespace {

constexpr Migration second{.version = 2,
                           .sql = "ALTER TABLE numbers ADD COLUMN extra TEXT; CREATE TABLE more (n INTEGER)"};
constexpr Migration both[]{numbers_table[0], second};

int version_of(Database& db) {
    auto statement = db.prepare("PRAGMA user_version");
    must(statement.step());
    return static_cast<int>(statement.integer(0));
}

class MigrationTest : public ::testing::Test {
  protected:
    Scratch folder;
    std::filesystem::path file = folder / "store.db";
};

TEST_F(MigrationTest, BringsAnOldStoreForwardWithItsContent) {
    {
        auto db = open_numbers(file);
        must(insert_number(db, 42));
        EXPECT_EQ(version_of(db), 1);
    }
    auto db = must(Database::open(file, key_of(1), both));
    EXPECT_EQ(version_of(db), 2);
    auto statement = db.prepare("SELECT n, extra FROM numbers");
    ASSERT_TRUE(must(statement.step()));
    EXPECT_EQ(statement.integer(0), 42);
    EXPECT_TRUE(statement.is_null(1));
}

TEST_F(MigrationTest, RefusesAStoreOfALaterVersion) {
    {
        must(Database::open(file, key_of(1), both));
    }
    const auto opened = Database::open(file, key_of(1), numbers_table);
    EXPECT_EQ(code_of(opened), Code::newer);
    auto db = must(Database::open(file, key_of(1), both));
    EXPECT_EQ(version_of(db), 2);
}

TEST_F(MigrationTest, ChangesNothingWhenOneFails) {
    constexpr Migration broken[]{numbers_table[0],
                                 {.version = 2, .sql = "CREATE TABLE a (n INTEGER); NONSENSE"}};
    {
        auto db = open_numbers(file);
    }
    EXPECT_THROW((void)Database::open(file, key_of(1), broken), std::logic_error);
    auto db = open_numbers(file);
    EXPECT_EQ(version_of(db), 1);
    EXPECT_THROW((void)db.prepare("SELECT * FROM a"), std::logic_error);
}

TEST_F(MigrationTest, AreNumberedWithoutGaps) {
    constexpr Migration gap[]{numbers_table[0], {.version = 3, .sql = ""}};
    EXPECT_THROW((void)Database::open(file, key_of(1), gap), std::logic_error);
}

TEST_F(MigrationTest, NeedNotExist) {
    auto db = must(Database::open(file, key_of(1), {}));
    EXPECT_EQ(version_of(db), 0);
}

TEST_F(MigrationTest, ShowsTheOldStoreWholeAndOnceBeforeItIsChanged) {
    {
        auto db = open_numbers(file);
        must(insert_number(db, 42));
    }
    std::vector<int> asked;
    const auto before = [&](Database& db, int from) {
        asked.push_back(from);
        return db.backup_to(folder / "copy.db", key_of(1));
    };
    for (int round = 0; round < 2; ++round)
        must(Database::open(file, key_of(1), both, {.before_migration = before}));
    EXPECT_EQ(asked, std::vector<int>{1});
    auto copy = must(Database::open(folder / "copy.db", key_of(1), numbers_table));
    auto statement = copy.prepare("SELECT n FROM numbers");
    ASSERT_TRUE(must(statement.step()));
    EXPECT_EQ(statement.integer(0), 42);
}

TEST_F(MigrationTest, LeavesTheStoreAsItWasWhereTheProgramSaysNo) {
    const auto no = [](Database& /*store*/, int /*from*/) -> Result<void> {
        return std::unexpected(Error{.code = Code::full, .detail = "no room"});
    };
    {
        auto db = open_numbers(file);
    }
    EXPECT_EQ(code_of(Database::open(file, key_of(1), both, {.before_migration = no})), Code::full);
    auto db = open_numbers(file);
    EXPECT_EQ(version_of(db), 1);
    // Of a new one nobody is asked.
    must(Database::open(folder / "new.db", key_of(1), both, {.before_migration = no}));
}

}  // namespace
}  // namespace sotto::storage::test
