#include "sotto/storage/profile.hpp"

#include "scratch.hpp"

namespace sotto::storage::test {
namespace {

TEST(ProfileLock, IsHeldByOneProcess) {
    const Scratch folder;
    Line line;
    Child child{[&] {
        const auto lock = must(ProfileLock::acquire(folder.path()));
        line.say(1);
        ::pause();
    }};
    ASSERT_EQ(line.hear(), 1U);
    EXPECT_EQ(code_of(ProfileLock::acquire(folder.path())), Code::in_use);
    child.kill();
    must(ProfileLock::acquire(folder.path()));
}

TEST(ProfileLock, IsHeldUntilItGoes) {
    const Scratch folder;
    {
        auto lock = must(ProfileLock::acquire(folder.path()));
        EXPECT_EQ(code_of(ProfileLock::acquire(folder.path())), Code::in_use);
        auto moved = std::move(lock);
        EXPECT_EQ(code_of(ProfileLock::acquire(folder.path())), Code::in_use);
        moved = must(ProfileLock::acquire(folder / "other"));
        must(ProfileLock::acquire(folder.path()));
        EXPECT_EQ(code_of(ProfileLock::acquire(folder / "other")), Code::in_use);
    }
    must(ProfileLock::acquire(folder / "other"));
}

TEST(ProfileLock, MakesAPrivateFolder) {
    const Scratch folder;
    const auto before = ::umask(0);
    const auto lock = ProfileLock::acquire(folder / "a/b");
    ::umask(before);
    ASSERT_TRUE(lock);
    EXPECT_EQ(mode_of(folder / "a"), 0700U);
    EXPECT_EQ(mode_of(folder / "a/b"), 0700U);
    EXPECT_EQ(mode_of(folder / "a/b/lock"), 0600U);
}

TEST(ProfileLock, ClosesItsOwnFolderToOthersAndNoOther) {
    const Scratch folder;
    const auto open_folder = [&](std::string_view name) {
        std::filesystem::create_directory(folder / name);
        ::chmod((folder / name).c_str(), 0755);
        return folder / name;
    };
    const auto fresh = open_folder("fresh");
    must(ProfileLock::acquire(fresh));
    EXPECT_EQ(mode_of(fresh), 0700U);
    ::chmod(fresh.c_str(), 0755);
    must(ProfileLock::acquire(fresh));
    EXPECT_EQ(mode_of(fresh), 0700U);
    const auto home = open_folder("home");
    overwrite(home / "notes", "mine");
    must(ProfileLock::acquire(home));
    EXPECT_EQ(mode_of(home), 0755U);
}

TEST(ProfileLock, NeedsAFolder) {
    const Scratch folder;
    overwrite(folder / "file", "");
    EXPECT_EQ(code_of(ProfileLock::acquire(folder / "file")), Code::exists);
    std::filesystem::create_directories(folder / "odd/lock");
    EXPECT_EQ(code_of(ProfileLock::acquire(folder / "odd")), Code::io);
}

TEST(ProfilePaths, ExistWithEitherFile) {
    const Scratch folder;
    const ProfilePaths paths{folder.path()};
    EXPECT_FALSE(paths.exists());
    overwrite(paths.vault(), "");
    EXPECT_TRUE(paths.exists());
    std::filesystem::remove(paths.vault());
    overwrite(paths.database(), "");
    EXPECT_TRUE(paths.exists());
}

TEST(StoreKey, DependsOnTheMasterKeyAndIsNotIt) {
    const crypto::MasterKey master{numbered<32>(1)};
    const auto key = store_key(master);
    EXPECT_TRUE(crypto::equal_constant_time(key.expose(), store_key(master).expose()));
    EXPECT_FALSE(crypto::equal_constant_time(key.expose(), master.expose()));
    EXPECT_FALSE(
        crypto::equal_constant_time(key.expose(), store_key(crypto::MasterKey{numbered<32>(2)}).expose()));
}

}  // namespace
}  // namespace sotto::storage::test
