// No room left, on a small file system of its own (needs root) and by a limit on the size of files.
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include "scratch.hpp"

namespace sotto::storage::test {
namespace {

/// Adds batches of 10 rows until there is no room; the number of batches that were committed.
int fill_up(Database& db) {
    const Bytes filler(2000, std::byte{0x77});
    for (int batch = 0; batch < 100'000; ++batch) {
        Transaction transaction{db};
        Result<void> done;
        for (int i = 0; done && i < 10; ++i)
            done = db.prepare("INSERT INTO numbers (bytes) VALUES (?)").bind_all(filler).run();
        if (done) done = transaction.commit();
        if (!done) {
            if (done.error().code != Code::full)
                throw std::runtime_error("not full but: " + done.error().detail);
            return batch;
        }
    }
    throw std::runtime_error("it never got full");
}

class SmallDisk {
  public:
    explicit SmallDisk(const std::filesystem::path& at)
        : at_(at),
          mounted_(std::filesystem::create_directory(at) &&
                   ::mount("none", at.c_str(), "tmpfs", 0, "size=1536k") == 0) {}
    SmallDisk(const SmallDisk&) = delete;
    SmallDisk& operator=(const SmallDisk&) = delete;
    ~SmallDisk() {
        if (mounted_) ::umount2(at_.c_str(), MNT_DETACH);
    }
    [[nodiscard]] bool mounted() const { return mounted_; }

  private:
    std::filesystem::path at_;
    bool mounted_;
};

TEST(FullDisk, TakesNothingOfATransactionAndLetsReadingGoOn) {
    const Scratch folder;
    const SmallDisk disk{folder / "disk"};
    if (!disk.mounted()) GTEST_SKIP() << "mounting a small file system needs root";
    const auto file = folder / "disk/store.db";
    const auto ballast = folder / "disk/ballast";
    overwrite(ballast, std::string(512 * 1024, 'x'));
    std::int64_t rows = 0;
    {
        auto db = open_numbers(file);
        rows = fill_up(db) * 10;
        EXPECT_GT(rows, 0);
        EXPECT_EQ(count_numbers(db), rows);
        std::filesystem::remove(ballast);
        must(insert_number(db, 1'000'000));
        EXPECT_EQ(count_numbers(db), ++rows);
        rows += fill_up(db) * 10;
        EXPECT_EQ(count_numbers(db), rows);
    }
    auto db = open_numbers(file);
    EXPECT_EQ(count_numbers(db), rows);
    must(db.check());
}

TEST(FullDisk, LeavesAStoreThatOpensAfterACrashToo) {
    const Scratch folder;
    const SmallDisk disk{folder / "disk"};
    if (!disk.mounted()) GTEST_SKIP() << "mounting a small file system needs root";
    const auto file = folder / "disk/store.db";
    Line line;
    Child child{[&] {
        auto db = open_numbers(file);
        line.say(static_cast<std::uint32_t>(fill_up(db)));
        ::pause();
    }};
    const auto batches = line.hear();
    EXPECT_GT(batches, 0U);
    child.kill();
    auto db = open_numbers(file);
    EXPECT_EQ(count_numbers(db), std::int64_t{batches} * 10);
}

TEST(FullDisk, IsToldFromOtherFailuresWhenAFileMayNotGrow) {
    const Scratch folder;
    const auto file = folder / "store.db";
    {
        auto db = open_numbers(file);
    }
    Child child{[&] {
        if (::signal(SIGXFSZ, SIG_IGN) == SIG_ERR) throw std::runtime_error("signal");
        const rlimit limit{.rlim_cur = 300 * 1024, .rlim_max = 300 * 1024};
        if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) throw std::runtime_error("setrlimit");
        auto db = open_numbers(file);
        const auto batches = fill_up(db);
        if (batches == 0 || count_numbers(db) != batches * 10) throw std::runtime_error("a part was kept");
    }};
    EXPECT_EQ(child.wait(), 0);
    auto db = open_numbers(file);
    EXPECT_EQ(count_numbers(db) % 10, 0);
    must(db.check());
    must(insert_number(db, 1'000'000));
}

TEST(FullDisk, MakesNoHalfDatabaseAndNoHalfBackup) {
    const Scratch folder;
    const auto file = folder / "store.db";
    {
        auto db = open_numbers(file);
        for (int i = 0; i < 200; ++i)
            must(db.prepare("INSERT INTO numbers (bytes) VALUES (?)").bind_all(Bytes(2000)).run());
    }
    Child child{[&] {
        if (::signal(SIGXFSZ, SIG_IGN) == SIG_ERR) throw std::runtime_error("signal");
        auto db = open_numbers(file);
        const rlimit limit{.rlim_cur = 2048, .rlim_max = 2048};
        if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) throw std::runtime_error("setrlimit");
        if (code_of(db.backup_to(folder / "copy.db", key_of(1))) != Code::full)
            throw std::runtime_error("backup");
        if (code_of(Database::open(folder / "new.db", key_of(1), numbers_table)) != Code::full)
            throw std::runtime_error("new");
    }};
    EXPECT_EQ(child.wait(), 0);
    EXPECT_FALSE(std::filesystem::exists(folder / "copy.db"));
    EXPECT_FALSE(std::filesystem::exists(folder / "copy.db.new"));
    auto db = open_numbers(folder / "new.db");
    EXPECT_EQ(count_numbers(db), 0);
}

}  // namespace
}  // namespace sotto::storage::test
