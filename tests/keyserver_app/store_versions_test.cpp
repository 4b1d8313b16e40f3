// Stores of earlier versions: copied, then brought forward; never under a server that runs.
#include <gtest/gtest.h>

#include "keyserver/app/store.hpp"
#include "keyserver/store/admin.hpp"
#include "keyserver/store/schema.hpp"
#include "support/process.hpp"

namespace sotto::keyserver::test {
namespace {

class StoreVersions : public testing::Test {
  protected:
    StoreVersions() {
        auto old = storage::Database::open(file, key, std::span{migrations}.first(2)).value();
        EXPECT_TRUE(
            old.execute("INSERT INTO accounts (user, created_day) VALUES ('alice', 20000);"
                        "INSERT INTO invites (hash, expires) VALUES (zeroblob(32), 99999999999)"));
    }
    [[nodiscard]] std::vector<std::filesystem::path> copies() const {
        std::vector<std::filesystem::path> out;
        for (const auto& entry : std::filesystem::directory_iterator{folder.path()})
            if (entry.path().filename().string().starts_with("store.version-2.")) out.push_back(entry.path());
        return out;
    }
    [[nodiscard]] bool is_old(const std::filesystem::path& path) const {
        return storage::Database::open(path, key, std::span{migrations}.first(2)).has_value();
    }

    sotto::test::TemporaryFolder folder;
    std::filesystem::path file = folder / "store.db";
    storage::DatabaseKey key{Array<32>{}};
};

TEST_F(StoreVersions, AnOlderOneIsCopiedBeforeItIsChangedAndKeepsItsContent) {
    {
        auto store = open_store(file, key, Company::alone);
        ASSERT_TRUE(store) << store.error().sentence;
        const auto users = Admin{*store}.users().value();
        ASSERT_EQ(users.size(), 1U);
        EXPECT_EQ(users.front().user, "alice");
        EXPECT_EQ(users.front().state, AccountState::active);
        EXPECT_EQ(Admin{*store}.invites(0).value().size(), 1U);
    }
    ASSERT_EQ(copies().size(), 1U);
    EXPECT_FALSE(is_old(file));
    EXPECT_TRUE(is_old(copies().front()));
    // Not a second time.
    EXPECT_TRUE(open_store(file, key, Company::alone));
    EXPECT_EQ(copies().size(), 1U);
}

TEST_F(StoreVersions, AnOlderOneIsLeftAloneWhileAServerRunsOnIt) {
    const auto store = open_store(file, key, Company::running);
    ASSERT_FALSE(store);
    EXPECT_EQ(store.error().exit, Exit::input);
    EXPECT_NE(store.error().sentence.find("restart that server"), std::string::npos);
    EXPECT_TRUE(is_old(file));
}

TEST_F(StoreVersions, ANewerOneIsRefused) {
    {
        auto store = open_store(file, key, Company::none).value();
        EXPECT_TRUE(store.execute("PRAGMA user_version = 99"));
    }
    const auto store = open_store(file, key, Company::alone);
    ASSERT_FALSE(store);
    EXPECT_NE(store.error().sentence.find("newer version"), std::string::npos);
    EXPECT_TRUE(copies().empty());
}

}  // namespace
}  // namespace sotto::keyserver::test
