// Backups made while the server runs, and servers made of them.
#include <atomic>
#include <nlohmann/json.hpp>
#include <thread>

#include "keyserver_net/program_fixture.hpp"

namespace sotto::keyserver::test {
namespace {

namespace fs = std::filesystem;

class BackupTest : public ProgramTest {
  protected:
    BackupTest() { EXPECT_TRUE(init({"--registration", "open"}).exit.ok()); }
    [[nodiscard]] Finished backup(const fs::path& target) const {
        return run({"backup", "--data", data(), target.string()});
    }
    [[nodiscard]] Finished restore(const fs::path& from, const fs::path& to, const fs::path& under) const {
        return run({"restore", "--data", to.string(), "--store-key", under.string(), from.string()});
    }
    /// Everything in a folder, by name.
    [[nodiscard]] static std::map<std::string, std::string> content(const fs::path& of) {
        std::map<std::string, std::string> out;
        for (const auto& entry : fs::recursive_directory_iterator{of})
            if (entry.is_regular_file()) out[entry.path().string()] = sotto::test::read_file(entry.path());
        return out;
    }
    [[nodiscard]] wire::Reply deliver(TlsPeer& sender, const std::string& text) const {
        return sender.ask(deliver_request("bob", 1, text, envelope(text), "token"));
    }
    const TestDevice bob{"bob", 1, 1, "127.0.0.1"};
    fs::path file = folder / "today.backup";
    fs::path key = folder / "server/store.key";
};

TEST_F(BackupTest, OfARunningServerIsWholeAndRunsAgainWithTheStoreKeyAlone) {
    start();
    const auto pin = TlsPeer{port}.pin();
    {
        auto owner = logged_in(bob, true);
        set_shared(owner, "token");
    }
    TlsPeer sender{port};
    ASSERT_TRUE(sender.open(protocol::delivery_target));
    for (int i = 0; i < 20; ++i) ASSERT_TRUE(deliver(sender, std::to_string(i)).has_delivered());
    // Others go on writing meanwhile.
    std::atomic<bool> done = false;
    std::thread busy{[&] {
        for (int i = 20; !done; ++i) EXPECT_TRUE(deliver(sender, std::to_string(i)).has_delivered());
    }};
    const auto made = backup(file);
    done = true;
    busy.join();
    ASSERT_TRUE(made.exit.ok()) << made.errors;
    EXPECT_EQ(lines_of(made.output).front(), file.string());
    EXPECT_NE(made.errors.find("NOT in it"), std::string::npos);
    EXPECT_NE(made.errors.find(key.string()), std::string::npos);
    EXPECT_EQ(fs::status(file).permissions(), fs::perms::owner_read | fs::perms::owner_write);
    stop();

    // Another machine: the file and the key are all there is.
    fs::rename(key, folder / "kept.key");
    fs::remove_all(data());
    const auto back = restore(file, data(), folder / "kept.key");
    ASSERT_TRUE(back.exit.ok()) << back.errors;
    EXPECT_NE(back.output.find("1 accounts"), std::string::npos) << back.output;
    start();
    EXPECT_EQ(TlsPeer{port}.pin(), pin);
    std::uint32_t waiting = 0;
    auto again = logged_in(bob, false, "", &waiting);
    EXPECT_GE(waiting, 20U);
    for (std::uint32_t i = 0; i < waiting; ++i) {
        const auto push = again.push();
        ASSERT_TRUE(push && push->has_incoming());
        EXPECT_EQ(push->incoming().envelope(), envelope(std::to_string(i)));
        ASSERT_TRUE(again.ask(acknowledge_request({push->incoming().envelope_id()})).has_done());
    }
}

TEST_F(BackupTest, IntoAFolderTakesANameOfItsOwnAndSaysItInJson) {
    fs::create_directory(folder / "backups");
    const auto made = run({"backup", "--json", "--data", data(), (folder / "backups").string()});
    ASSERT_TRUE(made.exit.ok()) << made.errors;
    const auto said = nlohmann::json::parse(made.output);
    EXPECT_TRUE(fs::is_regular_file(said["backup"].get<std::string>()));
    EXPECT_EQ(said["store_key"], key.string());
    EXPECT_TRUE(said["not_included"].empty());
    EXPECT_EQ(std::distance(fs::directory_iterator{folder / "backups"}, {}), 1);
}

TEST_F(BackupTest, HoldsNoKeyInTheClear) {
    ASSERT_TRUE(backup(file).exit.ok());
    const auto bytes = sotto::test::read_file(file);
    EXPECT_EQ(bytes.find("PRIVATE KEY"), std::string::npos);
    EXPECT_EQ(bytes.find("registration"), std::string::npos);
    const auto hex = sotto::test::read_file(key);
    EXPECT_EQ(bytes.find(hex.substr(0, 64)), std::string::npos);
}

TEST_F(BackupTest, FilesOutsideTheFolderAreNamedAndLeftOut) {
    fs::rename(folder / "server/tls-key.pem", folder / "elsewhere.pem");
    set("key", "\"" + (folder / "elsewhere.pem").string() + "\"");
    const auto made = backup(file);
    ASSERT_TRUE(made.exit.ok()) << made.errors;
    EXPECT_NE(made.errors.find((folder / "elsewhere.pem").string()), std::string::npos);
    fs::rename(folder / "elsewhere.pem", folder / "gone.pem");
    const auto back = restore(file, folder / "again", key);
    ASSERT_TRUE(back.exit.ok()) << back.errors;
    EXPECT_NE(back.errors.find((folder / "elsewhere.pem").string()), std::string::npos);
}

TEST_F(BackupTest, RestoreRefusesAFolderInUseAndLeavesItAsItIs) {
    ASSERT_TRUE(backup(file).exit.ok());
    const auto before = content(folder.path());
    expect_sentence(restore(file, data(), key), 1, "in use");
    start();
    expect_sentence(restore(file, data(), key), 1, "in use");
    stop();
    EXPECT_EQ(content(folder.path()).size(), before.size());
    fs::create_directory(folder / "empty");
    EXPECT_TRUE(restore(file, folder / "empty", key).exit.ok());
}

TEST_F(BackupTest, BadInputIsOneSentenceAndLeavesNothingBehind) {
    ASSERT_TRUE(backup(file).exit.ok());
    const auto damaged = folder / "damaged.backup";
    auto bytes = sotto::test::read_file(file);
    bytes.at(bytes.size() / 2) ^= 1;
    sotto::test::write_file(damaged, bytes);
    const auto half = folder / "half.backup";
    sotto::test::write_file(half, bytes.substr(0, bytes.size() / 2));
    const auto other_key = folder / "other.key";
    sotto::test::write_file(other_key, std::string(64, 'a') + "\n");
    fs::permissions(other_key, fs::perms::owner_read | fs::perms::owner_write);
    const auto before = content(folder.path());
    const auto to = folder / "new";

    expect_sentence(backup(file), 1, "there already");
    expect_sentence(backup(folder / "no/such/folder.backup"), 1, "no folder");
    expect_sentence(run({"backup", "--data", data()}), 1, "TARGET");
    expect_sentence(run({"backup", "--data", to.string(), (folder / "x").string()}), 1, to.string());
    expect_sentence(restore(folder / "missing", to, key), 1, "missing");
    expect_sentence(restore(file, to, folder / "missing.key"), 1, "missing.key");
    expect_sentence(restore(file, to, other_key), 1, "store key");
    expect_sentence(restore(damaged, to, key), 1, "damaged");
    expect_sentence(restore(half, to, key), 1, "damaged");
    expect_sentence(restore(folder / "server/store.db", to, key), 1, "without configuration");
    expect_sentence(run({"restore", "--data", to.string(), file.string()}), 1, "--store-key");
    EXPECT_FALSE(fs::exists(to));
    auto after = content(folder.path());
    after.erase((folder / "server/lock").string());
    auto expected = before;
    expected.erase((folder / "server/lock").string());
    EXPECT_EQ(after, expected);
}

TEST_F(BackupTest, AKilledOneLeavesNoFileThatLooksComplete) {
    start();
    for (int i = 0; i < 6; ++i) {
        sotto::test::Command command;
        const auto target = folder / ("killed" + std::to_string(i) + ".backup");
        command.args = {SOTTO_KEYSERVER, "backup", "--data", data(), target.string()};
        Process one{command};
        std::this_thread::sleep_for(std::chrono::milliseconds{i * 7});
        one.kill(SIGKILL);
        one.wait(patience);
        // There it is whole, or it is not there.
        if (fs::exists(target)) {
            EXPECT_TRUE(restore(target, folder / ("restored" + std::to_string(i)), key).exit.ok());
        }
        EXPECT_TRUE(backup(folder / ("next" + std::to_string(i) + ".backup")).exit.ok());
    }
}

}  // namespace
}  // namespace sotto::keyserver::test
