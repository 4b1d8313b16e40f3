// Where the passphrase comes from, and that nothing happens without the right one.
#include <csignal>

#include "home.hpp"
#include "sotto/storage/profile.hpp"
#include "sotto/storage/vault.hpp"

namespace sotto::test {
namespace {

using namespace std::chrono_literals;

TEST(Passphrase, ComesFromAFile) {
    const Home home;
    const auto finished = home.run({"whoami"});
    EXPECT_EQ(finished.exit.code, 0) << finished.errors;
    EXPECT_NE(finished.output.find("alice@localhost"), std::string::npos);
    EXPECT_EQ(finished.errors, "");
}

TEST(Passphrase, LosesOneLineFeedAtItsEndAndNoMore) {
    const Home home;
    write_private_file(home.passphrase_file(), right_passphrase);
    EXPECT_EQ(home.run({"whoami"}).exit.code, 0);
    write_private_file(home.passphrase_file(), std::string{right_passphrase} + "\n\n");
    EXPECT_EQ(home.run({"whoami"}).exit.code, 1);
}

TEST(Passphrase, ComesFromADescriptor) {
    const Home home;
    auto what = home.command({"--passphrase-fd", "5", "whoami"});
    what.descriptors = {{5, std::string{right_passphrase} + "\n"}};
    const auto finished = run(what);
    EXPECT_EQ(finished.exit.code, 0) << finished.errors;
}

TEST(Passphrase, OfADescriptorThatIsNotOpenIsRefused) {
    const Home home;
    const auto finished = run(home.command({"--passphrase-fd", "77", "whoami"}));
    EXPECT_EQ(finished.exit.code, 1);
    EXPECT_TRUE(one_sentence(finished, "descriptor 77"));
}

TEST(Passphrase, ThatIsWrongChangesNothing) {
    const Home home;
    const auto before = read_file(home.path() / "vault");
    write_private_file(home.passphrase_file(), "wrong\n");
    const auto finished = home.run({"whoami"});
    EXPECT_EQ(finished.exit.code, 1);
    EXPECT_TRUE(one_sentence(finished, "passphrase is wrong"));
    EXPECT_EQ(read_file(home.path() / "vault"), before);
}

TEST(Passphrase, ThatIsEmptyOrEndlessIsRefused) {
    const Home home;
    for (const auto& [content, word] :
         {std::pair{std::string{"\n"}, "empty"}, std::pair{std::string(5000, 'x'), "1,024"}}) {
        write_private_file(home.passphrase_file(), content);
        const auto finished = home.run({"whoami"});
        EXPECT_EQ(finished.exit.code, 1);
        EXPECT_TRUE(one_sentence(finished, word));
    }
}

TEST(Passphrase, FileThatOthersMayReadIsPointedOut) {
    const Home home;
    std::filesystem::permissions(home.passphrase_file(), std::filesystem::perms::group_read,
                                 std::filesystem::perm_options::add);
    const auto finished = home.run({"whoami"});
    EXPECT_EQ(finished.exit.code, 0);
    EXPECT_TRUE(one_sentence(finished, "chmod 600"));
}

TEST(Passphrase, WithoutAnySourceAndTerminalIsASentence) {
    const Home home;
    // A session of its own has no terminal to ask at.
    auto what = home.command({"whoami"});
    what.args.insert(what.args.begin(), {"setsid", "--wait"});
    const auto finished = run(what);
    EXPECT_EQ(finished.exit.code, 1);
    EXPECT_TRUE(one_sentence(finished, "--passphrase-file"));
}

TEST(Passphrase, IsAskedForAtATerminalWithoutEcho) {
    if (!terminals_work()) GTEST_SKIP() << "no pseudo-terminal can be had here: mount devpts on /dev/pts";
    const Home home;
    auto what = home.command({"whoami"});
    what.terminal = true;
    Process process{what};
    ASSERT_TRUE(process.wait_for("Passphrase: ", 20s)) << process.output();
    process.write(std::string{right_passphrase} + "\n");
    const auto exit = process.wait(20s);
    ASSERT_TRUE(exit);
    EXPECT_EQ(exit->code, 0) << process.output();
    EXPECT_NE(process.output().find("alice@localhost"), std::string::npos);
    EXPECT_EQ(process.output().find("horse"), std::string::npos) << "the terminal showed it";
}

TEST(Passphrase, PromptCanBeGivenUp) {
    if (!terminals_work()) GTEST_SKIP() << "no pseudo-terminal can be had here: mount devpts on /dev/pts";
    const Home home;
    auto what = home.command({"whoami"});
    what.terminal = true;
    Process process{what};
    ASSERT_TRUE(process.wait_for("Passphrase: ", 20s));
    process.write("half of it\x03");
    const auto exit = process.wait(20s);
    ASSERT_TRUE(exit);
    EXPECT_EQ(exit->code, 1);
    EXPECT_NE(process.output().find("Given up"), std::string::npos);
}

TEST(Passphrase, CanBeChanged) {
    const Home home;
    const auto fresh = home.folder() / "fresh";
    write_private_file(fresh, "another one\n");
    const std::vector<std::string> change{
        "passphrase", "--new-passphrase-file", fresh.string(), "--kdf-memory", "8", "--kdf-passes", "1"};
    const auto finished = home.run(change);
    EXPECT_EQ(finished.exit.code, 0) << finished.errors;
    EXPECT_EQ(home.run({"whoami"}).exit.code, 1);
    EXPECT_EQ(home.run(change).exit.code, 1) << "the old one is no longer good";
    write_private_file(home.passphrase_file(), "another one\n");
    EXPECT_EQ(home.run({"whoami"}).exit.code, 0);
}

TEST(Passphrase, IsChangedAtATerminalOnlyIfTheNewOneIsTypedTwiceAlike) {
    if (!terminals_work()) GTEST_SKIP() << "no pseudo-terminal can be had here: mount devpts on /dev/pts";
    const Home home;
    const auto before = read_file(home.path() / "vault");
    auto what = home.command(
        {"--passphrase-file", home.passphrase_file().string(), "passphrase", "--kdf-memory", "8"});
    what.terminal = true;
    Process process{what};
    ASSERT_TRUE(process.wait_for("New passphrase: ", 20s));
    process.write("one thing\n");
    ASSERT_TRUE(process.wait_for("Again: ", 20s));
    process.write("another\n");
    const auto exit = process.wait(20s);
    ASSERT_TRUE(exit);
    EXPECT_EQ(exit->code, 1);
    EXPECT_NE(process.output().find("differ"), std::string::npos);
    EXPECT_EQ(read_file(home.path() / "vault"), before);
}

TEST(Passphrase, IsNotAskedForWhileAnotherProcessHasTheProfile) {
    const Home home;
    const auto lock = storage::ProfileLock::acquire(home.path());
    ASSERT_TRUE(lock);
    const auto finished = home.run({"whoami"});
    EXPECT_EQ(finished.exit.code, 1);
    EXPECT_TRUE(one_sentence(finished, "Another process"));
    // Where a chat does it as well, that is said.
    EXPECT_TRUE(one_sentence(home.run({"presence"}), "/presence"));
    EXPECT_TRUE(one_sentence(home.run({"who"}), "/who"));
    EXPECT_TRUE(one_sentence(home.run({"contact", "set", "bob", "--direct", "off"}), "/direct"));
    EXPECT_TRUE(one_sentence(home.run({"contact", "set", "bob", "--presence", "off"}), "stop it"));
}

TEST(Vault, ThatIsDamagedOrMissingIsASentence) {
    const Home home;
    const auto vault = home.path() / "vault";
    const auto whole = read_file(vault);
    write_file(vault, whole.substr(0, whole.size() / 2));
    EXPECT_TRUE(one_sentence(home.run({"whoami"}), "vault is damaged"));
    std::filesystem::remove(vault);
    EXPECT_TRUE(one_sentence(home.run({"whoami"}), "vault is missing"));
    write_file(vault, whole);
    EXPECT_EQ(home.run({"whoami"}).exit.code, 0);
}

TEST(Profile, LeavesNoCoreFileAndCannotBeAttachedTo) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "not under sanitizers, which read the process";
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
    GTEST_SKIP() << "not under sanitizers, which read the process";
#endif
#endif
    if (!terminals_work()) GTEST_SKIP() << "no pseudo-terminal can be had here: mount devpts on /dev/pts";
    const Home home;
    auto what = home.command({"whoami"});
    what.terminal = true;
    Process process{what};
    ASSERT_TRUE(process.wait_for("Passphrase: ", 20s));
    const auto limits = read_file("/proc/" + std::to_string(process.pid()) + "/limits");
    const auto line = limits.substr(limits.find("Max core file size"));
    EXPECT_TRUE(line.starts_with("Max core file size        0                    0 ")) << line;
}

}  // namespace
}  // namespace sotto::test
