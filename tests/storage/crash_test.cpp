// Processes that are killed in the middle of writing.
#include <random>
#include <thread>

#include "scratch.hpp"

namespace sotto::storage::test {
namespace {

constexpr int batch_size = 20;
constexpr Migration batches_table[]{
    {.version = 1, .sql = "CREATE TABLE batches (batch INTEGER, i INTEGER, filler BLOB) STRICT"}};

Database open_batches(const std::filesystem::path& file) {
    return must(Database::open(file, key_of(1), batches_table));
}

void write_batches(const std::filesystem::path& file, std::uint32_t first, const Line& line) {
    auto db = open_batches(file);
    const Bytes filler(700, std::byte{0x55});
    for (auto batch = first;; ++batch) {
        Transaction transaction{db};
        for (int i = 0; i < batch_size; ++i)
            must(db.prepare("INSERT INTO batches VALUES (?, ?, ?)").bind_all(batch, i, filler).run());
        must(transaction.commit());
        line.say(batch);
    }
}

/// The number of whole batches; fails on a part of one.
std::uint32_t whole_batches(Database& db) {
    auto statement = db.prepare("SELECT batch, count(*) FROM batches GROUP BY batch ORDER BY batch");
    std::uint32_t batches = 0;
    while (must(statement.step())) {
        EXPECT_EQ(statement.integer(0), ++batches);
        EXPECT_EQ(statement.integer(1), batch_size);
    }
    return batches;
}

std::uint32_t seed() {
    const auto value = std::random_device{}();
    ::testing::Test::RecordProperty("seed", std::to_string(value));
    return value;
}

void pause(std::mt19937& random, int most_ms) {
    std::this_thread::sleep_for(std::chrono::microseconds{random() % static_cast<unsigned>(most_ms * 1000)});
}

TEST(Crash, LeavesWholeTransactionsAndEveryCommittedOne) {
    const Scratch folder;
    const auto file = folder / "store.db";
    const auto start = seed();
    SCOPED_TRACE("seed " + std::to_string(start));
    std::mt19937 random{start};
    std::uint32_t committed = 0;
    int logs_left = 0;
    {
        auto db = open_batches(file);
    }
    for (int round = 0; round < 25; ++round) {
        Line line;
        Child child{[&] { write_batches(file, committed + 1, line); }};
        pause(random, 80);
        EXPECT_EQ(child.kill(), -SIGKILL);
        const auto said = std::max(line.last(), committed);
        std::error_code none;
        if (const auto size = std::filesystem::file_size(beside(file, "-wal"), none); !none && size > 0)
            ++logs_left;
        auto db = open_batches(file);
        must(db.check());
        committed = whole_batches(db);
        EXPECT_GE(committed, said);
        EXPECT_LE(committed, said + 1);
    }
    EXPECT_GT(logs_left, 0);
    EXPECT_GT(committed, 0U);
}

TEST(Crash, WhileTheDatabaseIsMadeLeavesOneThatOpens) {
    const auto start = seed();
    SCOPED_TRACE("seed " + std::to_string(start));
    std::mt19937 random{start};
    for (int round = 0; round < 25; ++round) {
        const Scratch folder;
        const auto file = folder / "store.db";
        Child child{[&] { auto db = open_batches(file); }};
        pause(random, 30);
        child.kill();
        auto db = open_batches(file);
        must(db.check());
        EXPECT_EQ(whole_batches(db), 0U);
    }
}

TEST(Crash, BeforeACommitLeavesNothing) {
    const Scratch folder;
    const auto file = folder / "store.db";
    Line line;
    Child child{[&] {
        auto db = open_batches(file);
        const Transaction transaction{db};
        must(db.execute("INSERT INTO batches VALUES (1, 1, NULL)"));
        line.say(1);
        ::pause();
    }};
    ASSERT_EQ(line.hear(), 1U);
    child.kill();
    auto db = open_batches(file);
    EXPECT_EQ(whole_batches(db), 0U);
}

/// A store whose last process was killed: several committed batches are in the log only.
std::uint32_t crashed_store(const std::filesystem::path& file) {
    {
        auto db = open_batches(file);
    }
    Line line;
    Child child{[&] { write_batches(file, 1, line); }};
    std::uint32_t said = 0;
    while (said < 8) said = line.hear();
    child.kill();
    return said;
}

TEST(Crash, WithADamagedPageIsFoundAtOpen) {
    const Scratch folder;
    const auto file = folder / "store.db";
    crashed_store(file);
    {
        auto db = open_batches(file);
    }  // the log is in the file now
    Line line;
    Child child{[&] { write_batches(file, 1000, line); }};
    ASSERT_EQ(line.hear(), 1000U);
    child.kill();
    // The last page of the file: nothing that opening needs to read.
    auto text = file_text(file);
    ASSERT_GT(text.size(), std::size_t{10 * 4096});
    text[text.size() - 2000] = static_cast<char>(text[text.size() - 2000] ^ 1);
    overwrite(file, text);
    EXPECT_EQ(code_of(Database::open(file, key_of(1), batches_table)), Code::damaged);
    EXPECT_TRUE(Database::open(file, key_of(1), batches_table, {.check_after_crash = false}).has_value());
}

// SQLite can't tell a log that was tampered with from one whose writing was cut off: it keeps what comes
// before.
TEST(Crash, WithADamagedLogKeepsWholeTransactionsBeforeIt) {
    const auto start = seed();
    SCOPED_TRACE("seed " + std::to_string(start));
    std::mt19937 random{start};
    for (int round = 0; round < 10; ++round) {
        const Scratch folder;
        const auto file = folder / "store.db";
        const auto said = crashed_store(file);
        auto log = file_text(beside(file, "-wal"));
        ASSERT_GT(log.size(), 4096U);
        const auto at = random() % log.size();
        log[at] = static_cast<char>(log[at] ^ (1 << random() % 8));
        overwrite(beside(file, "-wal"), log);
        auto db = Database::open(file, key_of(1), batches_table);
        if (!db) {
            EXPECT_EQ(db.error().code, Code::damaged);
            continue;
        }
        EXPECT_LE(whole_batches(*db), said + 1);
        must(db->check());
    }
}

TEST(Crash, OfABackupLeavesNoHalfCopyUnderItsName) {
    const Scratch folder;
    const auto file = folder / "store.db";
    const auto copy = folder / "copy.db";
    const auto start = seed();
    SCOPED_TRACE("seed " + std::to_string(start));
    std::mt19937 random{start};
    auto db = open_numbers(file);
    {
        Transaction transaction{db};
        for (int i = 0; i < 20'000; ++i)
            must(db.prepare("INSERT INTO numbers VALUES (?, 'some words to fill a page', NULL)")
                     .bind_all(i)
                     .run());
        must(transaction.commit());
    }
    for (int round = 0; round < 10; ++round) {
        Child child{[&] {
            auto mine = open_numbers(file, {.check_after_crash = false});
            must(mine.backup_to(copy, key_of(1)));
        }};
        pause(random, 60);
        child.kill();
        if (std::filesystem::exists(copy)) {
            auto opened = open_numbers(copy);
            must(opened.check());
            EXPECT_EQ(count_numbers(opened), 20'000);
        }
        std::filesystem::remove(copy);
    }
    must(db.backup_to(copy, key_of(1)));
    EXPECT_FALSE(std::filesystem::exists(beside(copy, ".new")));
}

}  // namespace
}  // namespace sotto::storage::test
