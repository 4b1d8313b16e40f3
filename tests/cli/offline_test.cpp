// What the verbs do while the server is away: nothing is lost, and the exit code is 3.
#include <csignal>

#include "home.hpp"

namespace sotto::test {
namespace {

using namespace std::chrono_literals;
using storage::Direction;

TEST(Offline, ReceivePrintsWhatTheStoreHasOnceAndSaysThatTheServerIsAway) {
    Home home;
    const auto first = home.add_message(Direction::incoming, "one", 1'700'000'000'000);
    const auto second = home.add_message(Direction::incoming, "two", 1'700'000'001'000);
    const auto finished = home.run({"--json", "receive"});
    EXPECT_EQ(finished.exit.code, 3);
    EXPECT_TRUE(one_sentence(finished, "server"));
    const auto lines = lines_of(finished.output);
    ASSERT_EQ(lines.size(), 2U);
    const auto message = nlohmann::json::parse(lines[0]);
    for (const auto* key : {"id", "row", "from", "address", "kind", "text", "sent_at", "received_at",
                            "verified", "verified_by", "contact_state", "sequence", "late"})
        EXPECT_TRUE(message.contains(key)) << key;
    EXPECT_EQ(message["text"], "one");
    EXPECT_EQ(message["from"], "bob");
    EXPECT_EQ(message["row"], first);
    EXPECT_EQ(message["verified"], true);
    EXPECT_EQ(nlohmann::json::parse(lines[1])["row"], second);
    EXPECT_EQ(home.run({"receive"}).output, "");
}

TEST(Offline, ReceiveTriesForTheTimeGiven) {
    const Home home;
    const auto before = std::chrono::steady_clock::now();
    const auto finished = home.run({"receive", "--timeout", "1.5"});
    EXPECT_EQ(finished.exit.code, 3);
    EXPECT_GE(std::chrono::steady_clock::now() - before, 1500ms);
    EXPECT_TRUE(one_sentence(finished, "server"));
}

TEST(Offline, ReceiveEndsAtTheCountWithoutAskingTheServer) {
    Home home;
    home.add_message(Direction::incoming, "one", 1'700'000'000'000);
    home.add_message(Direction::incoming, "two", 1'700'000'001'000);
    const auto finished = home.run({"--json", "receive", "--count", "1"});
    EXPECT_EQ(finished.exit.code, 0) << finished.errors;
    EXPECT_EQ(lines_of(finished.output).size(), 1U);
    EXPECT_EQ(home.json({"receive", "--count", "1"})[0]["text"], "two");
}

TEST(Offline, AMessageThatCouldNotBePrintedIsPrintedNextTime) {
    Home home;
    home.add_message(Direction::incoming, "not lost", 1'700'000'000'000);
    std::string line;
    for (const auto& word :
         home.command({"--passphrase-file", home.passphrase_file().string(), "receive"}).args)
        line += "'" + word + "' ";
    const auto failed = run({.args = {"sh", "-c", line + ">/dev/full"}});
    EXPECT_EQ(failed.exit.code, 1);
    EXPECT_TRUE(one_sentence(failed, "Standard output"));
    const auto closed = run({.args = {"sh", "-c", line + "| true"}});
    EXPECT_EQ(lines_of(home.run({"receive"}).output).size(), 1U);
}

TEST(Offline, FollowGoesOnAndEndsInOrderOnASignal) {
    Home home;
    home.add_message(Direction::incoming, "waiting", 1'700'000'000'000);
    Process process{
        home.command({"--passphrase-file", home.passphrase_file().string(), "receive", "--follow"})};
    ASSERT_TRUE(process.wait_for("waiting", 20s)) << process.errors();
    ASSERT_TRUE(process.wait_for("sotto: ", 20s, true));
    EXPECT_FALSE(process.wait(500ms));
    process.kill(SIGTERM);
    const auto exit = process.wait(20s);
    ASSERT_TRUE(exit);
    EXPECT_EQ(exit->code, 0) << process.errors();
    EXPECT_EQ(lines_of(process.errors()).size(), 1U) << "an outage is said once: " << process.errors();
}

TEST(Offline, SendPutsTheMessageIntoTheOutbox) {
    const Home home;
    const auto finished = home.run({"send", "bob", "wait for me"});
    EXPECT_EQ(finished.exit.code, 3);
    EXPECT_TRUE(one_sentence(finished, "outbox"));
    EXPECT_EQ(finished.output.size(), 33U) << finished.output;
    const auto history = home.json({"history", "bob"});
    ASSERT_EQ(history.size(), 1U);
    EXPECT_EQ(history[0]["id"].get<std::string>() + "\n", finished.output);
    EXPECT_EQ(history[0]["text"], "wait for me");
    EXPECT_EQ(home.json({"status"}, 3)[0]["outbox"], 1);
}

TEST(Offline, SendTakesItsTextFromAFileOrStandardInput) {
    const Home home;
    write_file(home.folder() / "text", "from a file\nin two lines\n");
    EXPECT_EQ(home.run({"send", "bob", "--file", (home.folder() / "text").string()}).exit.code, 3);
    EXPECT_EQ(home.run({"send", "bob", "-"}, "from a pipe\n").exit.code, 3);
    EXPECT_EQ(home.run({"send", "bob", "--", "--dashes"}).exit.code, 3);
    EXPECT_EQ(home.run({"send", "bob", "-"}, std::string(65536, 'x')).exit.code, 3);
    const auto history = home.json({"history", "bob"});
    ASSERT_EQ(history.size(), 4U);
    EXPECT_EQ(history[0]["text"], "from a file\nin two lines");
    EXPECT_EQ(history[1]["text"], "from a pipe");
    EXPECT_EQ(history[2]["text"], "--dashes");
    EXPECT_EQ(history[3]["text"], std::string(65536, 'x'));
}

TEST(Offline, SendQueuesEachLine) {
    const Home home;
    const auto finished =
        home.run({"--json", "send", "bob", "--lines", "--timeout", "1"}, "one\n\ntwo\nthree");
    EXPECT_EQ(finished.exit.code, 3);
    EXPECT_TRUE(one_sentence(finished, "outbox"));
    const auto lines = lines_of(finished.output);
    ASSERT_EQ(lines.size(), 3U) << finished.output;
    for (const auto& line : lines) {
        const auto object = nlohmann::json::parse(line);
        EXPECT_EQ(object["contact"], "bob");
        EXPECT_EQ(object["state"], "queued");
    }
    const auto history = home.json({"history", "bob"});
    ASSERT_EQ(history.size(), 3U);
    EXPECT_EQ(history[2]["text"], "three");
}

TEST(Offline, OtherVerbsSayThatTheServerIsAway) {
    const Home home;
    const auto invite = home.run({"invite"});
    EXPECT_EQ(invite.exit.code, 3);
    EXPECT_TRUE(one_sentence(invite, "server"));
    EXPECT_EQ(invite.output, "");
    const auto status = home.run({"status"});
    EXPECT_EQ(status.exit.code, 3);
    EXPECT_TRUE(one_sentence(status, "server"));
}

TEST(Offline, InitLeavesNothingThatIsInTheWay) {
    const TemporaryFolder folder;
    write_private_file(folder / "passphrase", "something\n");
    const auto finished =
        run({.args = {SOTTO_CLIENT, "--home", (folder / "home").string(), "--passphrase-file",
                      (folder / "passphrase").string(), "init", "--server",
                      "sotto://127.0.0.1:" + std::to_string(free_port()) + "/#" + std::string(43, 'A'),
                      "--user", "alice", "--kdf-memory", "8"}});
    EXPECT_EQ(finished.exit.code, 3);
    EXPECT_TRUE(one_sentence(finished, "server"));
    EXPECT_FALSE(std::filesystem::exists(folder / "home" / "vault"));
    EXPECT_FALSE(std::filesystem::exists(folder / "home" / "store.db"));
}

TEST(Offline, SaysWhoCountsAsVerifiedForDirectSessions) {
    const Home home;
    const auto finished = home.run({"direct"});
    EXPECT_TRUE(finished.exit.ok()) << finished.errors;
    EXPECT_NE(finished.output.find("by link or by number"), std::string::npos) << finished.output;
}

}  // namespace
}  // namespace sotto::test
