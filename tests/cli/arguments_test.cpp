// The command line itself: what it refuses before anything is opened.
#include "home.hpp"

namespace sotto::test {
namespace {

Finished sotto(std::vector<std::string> words, std::optional<std::string> input = {}) {
    words.insert(words.begin(), SOTTO_CLIENT);
    return run(
        {.args = std::move(words), .environment = {{"HOME", "/nonexistent"}}, .input = std::move(input)});
}

TEST(Arguments, HelpNamesEveryVerb) {
    const auto help = sotto({"--help"});
    EXPECT_EQ(help.exit.code, 0);
    EXPECT_EQ(help.errors, "");
    for (const auto* verb : {"init", "whoami", "status", "invite", "contact", "verify", "send", "receive",
                             "history", "passphrase"})
        EXPECT_NE(help.output.find(std::string{"\n  "} + verb), std::string::npos) << verb;
    const auto of_group = sotto({"contact", "--help"});
    for (const auto* verb : {"add", "list", "show", "block", "unblock", "remove"})
        EXPECT_NE(of_group.output.find(std::string{"\n  "} + verb), std::string::npos) << verb;
    EXPECT_NE(sotto({"init", "--help"}).output.find("LOWERS"), std::string::npos);
}

TEST(Arguments, VersionIsPrinted) {
    const auto version = sotto({"--version"});
    EXPECT_EQ(version.exit.code, 0);
    EXPECT_TRUE(version.output.starts_with("sotto "));
}

TEST(Arguments, ThatAreWrongAreOneSentenceAndExitCode1) {
    const std::vector<std::vector<std::string>> wrong{
        {},
        {"fly"},
        {"contact"},
        {"contact", "fly"},
        {"contact", "block"},
        {"contact", "unblock"},
        {"whoami", "--fly"},
        {"whoami", "surplus"},
        {"init", "--user", "alice"},
        {"init", "--server", "sotto://localhost:7443"},
        {"init", "--server", "sotto://localhost:7443", "--user", "alice", "--kdf-memory", "7"},
        {"init", "--server", "sotto://localhost:7443", "--user", "alice", "--kdf-passes", "0"},
        {"init", "--server", "sotto://localhost:7443", "--user", "alice", "--kdf-memory", "many"},
        {"send"},
        {"send", "bob", "hello", "--wait", "eaten"},
        {"send", "bob", "hello", "--file", "/etc/hostname"},
        {"send", "bob", "hello", "--timeout", "-1"},
        {"receive", "--follow", "--timeout", "3"},
        {"receive", "--count", "0"},
        {"history", "bob", "--limit", "0"},
        {"--passphrase-fd", "-1", "whoami"},
        {"--passphrase-fd", "3", "--passphrase-file", "x", "whoami"},
    };
    for (const auto& words : wrong) {
        const auto finished = sotto(words);
        std::string line;
        for (const auto& word : words) line += word + " ";
        EXPECT_EQ(finished.exit.code, 1) << line;
        EXPECT_TRUE(one_sentence(finished, "--help")) << line;
        EXPECT_EQ(finished.output, "") << line;
    }
}

TEST(Arguments, AreNotEchoedToTheTerminalAsTheyAre) {
    const auto finished = sotto({"\x1b[31mfly"});
    EXPECT_EQ(finished.exit.code, 1);
    EXPECT_EQ(finished.errors.find('\x1b'), std::string::npos) << finished.errors;
}

TEST(Arguments, InitRefusesWhatIsNoLinkAndNoName) {
    EXPECT_TRUE(one_sentence(sotto({"init", "--server", "http://localhost", "--user", "alice"}), "sotto://"));
    for (const auto* name : {"A", "", "a", "al ice", "-rf", "..", "a@b", "\x1b[1m", "ab\xff"})
        EXPECT_TRUE(one_sentence(
            sotto({"init", "--server", "sotto://localhost:7443", std::string{"--user="} + name}), "--user"))
            << name;
}

TEST(Arguments, MessagesThatCannotBeAreRefusedBeforeAnyPassphraseIsAskedFor) {
    EXPECT_TRUE(one_sentence(sotto({"send", "bob", ""}), "empty"));
    EXPECT_TRUE(one_sentence(sotto({"send", "bob"}), "nothing to send"));
    EXPECT_TRUE(one_sentence(sotto({"send", "bob", "-"}, std::string(65537, 'x')), "64 KiB"));
    EXPECT_TRUE(one_sentence(sotto({"send", "bob", "-"}, std::string(5'000'000, 'x')), "64 KiB"));
    EXPECT_TRUE(one_sentence(sotto({"send", "bob", "bad \xc3\x28"}), "UTF-8"));
    EXPECT_TRUE(one_sentence(sotto({"send", "bob", "--file", "/no/such/file"}), "/no/such/file"));
    EXPECT_TRUE(one_sentence(sotto({"send", "bob", "hello", "--lines"}), "--lines"));
    EXPECT_TRUE(one_sentence(sotto({"--passphrase-fd", "0", "send", "bob", "-"}, "hello"), "Standard input"));
}

TEST(Arguments, WithoutAProfileSayHowToMakeOne) {
    const TemporaryFolder folder;
    const auto home = (folder / "none").string();
    for (const std::vector<std::string>& words :
         std::vector<std::vector<std::string>>{{"whoami"},
                                               {"status"},
                                               {"invite"},
                                               {"contact", "list"},
                                               {"send", "bob", "hello"},
                                               {"receive"},
                                               {"history", "bob"},
                                               {"verify", "bob"},
                                               {"passphrase"}}) {
        auto all = words;
        all.insert(all.begin(), {"--home", home});
        const auto finished = sotto(all);
        EXPECT_EQ(finished.exit.code, 1) << words[0];
        EXPECT_TRUE(one_sentence(finished, "sotto init")) << words[0];
    }
    EXPECT_FALSE(std::filesystem::exists(home)) << "looking for a profile made one";
}

TEST(Arguments, TheHomeFolderIsFoundInTheDocumentedOrder) {
    const TemporaryFolder folder;
    const auto used = [&](const std::map<std::string, std::string>& environment) {
        return run({.args = {SOTTO_CLIENT, "--passphrase-file", "/no/such", "init", "--server",
                             "sotto://127.0.0.1:1/", "--user", "alice"},
                    .environment = environment});
    };
    used({{"SOTTO_HOME", (folder / "a").string()}, {"XDG_DATA_HOME", (folder / "b").string()}});
    EXPECT_TRUE(std::filesystem::exists(folder / "a" / "lock"));
    used({{"SOTTO_HOME", ""}, {"XDG_DATA_HOME", (folder / "b").string()}, {"HOME", (folder / "c").string()}});
    EXPECT_TRUE(std::filesystem::exists(folder / "b" / "sotto" / "lock"));
    used({{"SOTTO_HOME", ""}, {"XDG_DATA_HOME", "relative"}, {"HOME", (folder / "c").string()}});
    EXPECT_TRUE(std::filesystem::exists(folder / "c" / ".local" / "share" / "sotto" / "lock"));
    const auto none = used({{"SOTTO_HOME", ""}, {"XDG_DATA_HOME", ""}, {"HOME", ""}});
    EXPECT_TRUE(one_sentence(none, "--home"));
}

TEST(Arguments, OutputThatCannotBeWrittenIsAnError) {
    const auto finished = run({.args = {"sh", "-c", std::string{SOTTO_CLIENT} + " --help >/dev/full"}});
    EXPECT_EQ(finished.exit.code, 1);
    EXPECT_TRUE(one_sentence(finished, "Standard output"));
}

}  // namespace
}  // namespace sotto::test
