#include "scratch.hpp"

namespace sotto::storage::test {
namespace {

class BackupTest : public ::testing::Test {
  protected:
    Scratch folder;
    Database db = open_numbers(folder / "store.db");
    std::filesystem::path copy = folder / "copy.db";
};

TEST_F(BackupTest, IsAConsistentCopyWhileInUse) {
    for (int i = 0; i < 500; ++i) must(insert_number(db, i));
    must(db.backup_to(copy, key_of(1)));
    must(insert_number(db, 500));
    EXPECT_EQ(mode_of(copy), 0600U);
    EXPECT_FALSE(std::filesystem::exists(beside(copy, ".new")));
    auto opened = open_numbers(copy);
    must(opened.check());
    EXPECT_EQ(count_numbers(opened), 500);
    EXPECT_EQ(count_numbers(db), 501);
    EXPECT_EQ(code_of(Database::open(copy, key_of(2), numbers_table)), Code::damaged);
}

TEST_F(BackupTest, SharesNoBytesWithTheStore) {
    must(insert_number(db, 1));
    must(db.backup_to(copy, key_of(1)));
    EXPECT_NE(file_text(copy).substr(0, 16), file_text(folder / "store.db").substr(0, 16));
}

TEST_F(BackupTest, OverwritesNothing) {
    overwrite(copy, "something dear");
    EXPECT_EQ(code_of(db.backup_to(copy, key_of(1))), Code::exists);
    EXPECT_EQ(file_text(copy), "something dear");
}

TEST_F(BackupTest, ReplacesWhatAnEarlierAttemptLeft) {
    overwrite(beside(copy, ".new"), std::string(5000, 'x'));
    must(db.backup_to(copy, key_of(1)));
    EXPECT_EQ(count_numbers(db), 0);
    auto opened = open_numbers(copy);
    must(opened.check());
}

TEST_F(BackupTest, NeedsAFolderAndNoTransaction) {
    EXPECT_EQ(code_of(db.backup_to(folder / "none/copy.db", key_of(1))), Code::missing);
    const Transaction transaction{db};
    EXPECT_THROW((void)db.backup_to(copy, key_of(1)), std::logic_error);
}

}  // namespace
}  // namespace sotto::storage::test
