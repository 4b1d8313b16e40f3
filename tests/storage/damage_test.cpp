// Files whose bytes were changed or cut.
#include "scratch.hpp"

namespace sotto::storage::test {
namespace {

constexpr std::size_t page_size = 4096;

void fill(Database& db) {
    Transaction transaction{db};
    for (int i = 0; i < 400; ++i)
        must(db.prepare("INSERT INTO numbers VALUES (?, ?, ?)")
                 .bind_all(i, "word " + std::to_string(i), Bytes(500, static_cast<std::byte>(i)))
                 .run());
    must(transaction.commit());
}

/// Reads everything; true if it was all there and right, false on an error. A wrong value fails the test.
bool reads_well(Database& db) {
    auto statement = db.prepare("SELECT n, word, bytes FROM numbers ORDER BY n");
    for (int i = 0; i < 400; ++i) {
        const auto row = statement.step();
        if (!row) {
            EXPECT_EQ(row.error().code, Code::damaged);
            return false;
        }
        EXPECT_TRUE(*row);
        EXPECT_EQ(statement.integer(0), i);
        EXPECT_EQ(statement.text(1), "word " + std::to_string(i));
        EXPECT_EQ(statement.blob(2), Bytes(500, static_cast<std::byte>(i)));
    }
    return true;
}

class DamageTest : public ::testing::Test {
  protected:
    void SetUp() override {
        auto db = open_numbers(file);
        fill(db);
    }
    Scratch folder;
    std::filesystem::path file = folder / "store.db";
};

TEST_F(DamageTest, IsFoundInEveryPage) {
    const auto whole = file_text(file);
    ASSERT_EQ(whole.size() % page_size, 0U);
    for (std::size_t page = 0; page < whole.size() / page_size; ++page) {
        for (const std::size_t offset : {page * 131 % 16, 16 + page * 97 % 4000, page_size - 1 - page % 64}) {
            auto text = whole;
            auto& byte = text[page * page_size + offset];
            byte = static_cast<char>(byte ^ 0x10);
            overwrite(file, text);
            auto db = Database::open(file, key_of(1), numbers_table);
            if (!db) {
                EXPECT_EQ(db.error().code, Code::damaged) << db.error().detail;
                continue;
            }
            (void)reads_well(*db);
            (void)reads_well(*db);  // SQLCipher answers differently after its first failure
            EXPECT_EQ(code_of(db->check()), Code::damaged) << "page " << page << " offset " << offset;
        }
    }
}

TEST_F(DamageTest, IsFoundInAFileThatWasCut) {
    const auto whole = file_text(file);
    for (std::size_t size = 1; size < whole.size(); size += 3 * page_size / 2 + 1) {
        overwrite(file, std::string_view{whole}.substr(0, size));
        auto db = Database::open(file, key_of(1), numbers_table);
        if (!db) {
            EXPECT_EQ(db.error().code, Code::damaged) << db.error().detail;
            continue;
        }
        const auto checked = db->check();
        EXPECT_FALSE(checked) << "cut at " << size;
    }
}

TEST_F(DamageTest, IsFoundWhenPagesAreExchanged) {
    auto text = file_text(file);
    const auto fifth = text.substr(5 * page_size, page_size);
    text.replace(5 * page_size, page_size, text.substr(6 * page_size, page_size));
    text.replace(6 * page_size, page_size, fifth);
    overwrite(file, text);
    auto db = open_numbers(file);
    EXPECT_FALSE(reads_well(db));
    EXPECT_EQ(code_of(db.check()), Code::damaged);
}

TEST_F(DamageTest, IsFoundInPagesThatHoldNothing) {
    {
        auto db = open_numbers(file);
        must(db.execute("DELETE FROM numbers WHERE n > 10"));
    }
    auto text = file_text(file);
    ASSERT_GT(text.size(), 20 * page_size);
    for (std::size_t at = 10 * page_size + 100; at < text.size(); at += page_size)
        text[at] = static_cast<char>(text[at] ^ 1);
    overwrite(file, text);
    auto db = open_numbers(file);
    EXPECT_EQ(count_numbers(db), 11);
    const auto checked = db.check();
    EXPECT_EQ(code_of(checked), Code::damaged);
    EXPECT_NE(checked.error().detail.find("HMAC"), std::string::npos) << checked.error().detail;
}

TEST_F(DamageTest, StopsAStatementAndNotTheProcess) {
    auto text = file_text(file);
    for (std::size_t at = 4 * page_size + 100; at < text.size(); at += page_size)
        text[at] = static_cast<char>(text[at] ^ 1);
    overwrite(file, text);
    auto db = open_numbers(file);
    EXPECT_FALSE(reads_well(db));
    Transaction transaction{db};
    const auto updated = db.execute("UPDATE numbers SET word = 'changed'");
    EXPECT_EQ(code_of(updated), Code::damaged);
}

}  // namespace
}  // namespace sotto::storage::test
