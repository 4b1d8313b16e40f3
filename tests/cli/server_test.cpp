// The verbs against a real key server. Whole conversations, crashes and bad input stand in tests/integration.
#include <gtest/gtest.h>

#include <csignal>
#include <nlohmann/json.hpp>

#include "support/process.hpp"

namespace sotto::test {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

constexpr auto patience = 60s;

class WithServer : public ::testing::Test {
  protected:
    void SetUp() override {
        const auto made =
            run({.args = {SOTTO_KEYSERVER, "init", "--data", (folder_ / "server").string(), "--listen",
                          "127.0.0.1:" + std::to_string(free_port()), "--registration", "open"}});
        ASSERT_EQ(made.exit.code, 0) << made.errors;
        link_ = lines_of(made.output).at(0);
        start();
    }
    void start() {
        server_.emplace(Command{.args = {SOTTO_KEYSERVER, "run", "--data", (folder_ / "server").string()}});
        ASSERT_TRUE(server_->wait_for("\n", patience)) << server_->errors();
    }
    void stop() {
        server_->kill(SIGTERM);
        ASSERT_TRUE(server_->wait(patience));
        server_.reset();
    }
    [[nodiscard]] Command command(const std::string& person, const std::vector<std::string>& words) const {
        const auto passphrase = folder_ / "passphrase";
        if (!std::filesystem::exists(passphrase)) {
            write_file(passphrase, "some passphrase\n");
            std::filesystem::permissions(passphrase, std::filesystem::perms::owner_read);
        }
        Command result{.args = {SOTTO_CLIENT, "--home", (folder_ / person).string(), "--passphrase-file",
                                passphrase.string(), "--json"}};
        result.args.insert(result.args.end(), words.begin(), words.end());
        return result;
    }
    [[nodiscard]] Finished sotto(const std::string& person, const std::vector<std::string>& words,
                                 std::optional<std::string> input = {}) const {
        auto what = command(person, words);
        what.input = std::move(input);
        return run(std::move(what));
    }
    /// One that has to end well.
    std::vector<json> done(const std::string& person, const std::vector<std::string>& words,
                           std::optional<std::string> input = {}) const {
        const auto finished = sotto(person, words, std::move(input));
        EXPECT_EQ(finished.exit.code, 0) << finished.errors << finished.output;
        std::vector<json> result;
        for (const auto& line : lines_of(finished.output)) result.push_back(json::parse(line));
        return result;
    }
    [[nodiscard]] std::vector<std::string> init_words(const std::string& user) const {
        return {"init", "--server", link_, "--user", user, "--kdf-memory", "8", "--kdf-passes", "1"};
    }
    void acquaint() {
        done("a", init_words("alice"));
        done("b", init_words("bob"));
        const auto invited = done("a", {"invite"});
        ASSERT_EQ(invited.size(), 1U);
        EXPECT_TRUE(invited[0].contains("expires_at"));
        const auto added = done("b", {"contact", "add", invited[0]["link"]});
        ASSERT_EQ(added.size(), 1U);
        EXPECT_EQ(added[0]["name"], "alice");
        EXPECT_EQ(added[0]["verified_by"], "link");
        done("a", {"receive"});
        done("b", {"receive"});
    }
    [[nodiscard]] std::string link() const { return link_; }
    [[nodiscard]] const TemporaryFolder& folder() const { return folder_; }

  private:
    TemporaryFolder folder_;
    std::string link_;
    std::optional<Process> server_;
};

TEST_F(WithServer, InitRegistersOnceAndRefusesToDoItAgain) {
    const auto made = done("a", init_words("alice"));
    ASSERT_EQ(made.size(), 1U);
    EXPECT_EQ(made[0]["address"], "alice@127.0.0.1");
    const auto again = sotto("a", init_words("alice"));
    EXPECT_EQ(again.exit.code, 1);
    EXPECT_NE(again.errors.find("already"), std::string::npos) << again.errors;
    EXPECT_EQ(done("a", {"whoami"}).at(0)["address"], "alice@127.0.0.1");
}

TEST_F(WithServer, ATakenNameLeavesNothingBehindAndAnotherOneWorks) {
    done("a", init_words("alice"));
    const auto taken = sotto("b", init_words("alice"));
    EXPECT_EQ(taken.exit.code, 1);
    EXPECT_NE(taken.errors.find("taken"), std::string::npos) << taken.errors;
    EXPECT_FALSE(std::filesystem::exists(folder() / "b" / "vault"));
    EXPECT_FALSE(std::filesystem::exists(folder() / "b" / "store.db"));
    done("b", init_words("bob"));
}

TEST_F(WithServer, AnInitThatIsKilledAtAnyMomentCanBeFinished) {
    for (int i = 0; i < 12; ++i) {
        const auto name = "user" + std::to_string(i);
        Process process{command(name, init_words(name))};
        if (!process.wait(std::chrono::milliseconds{15 * i})) {
            process.kill(SIGKILL);
            ASSERT_TRUE(process.wait(patience));
        }
        const auto second = sotto(name, init_words(name));
        const bool already = second.exit.code == 1 && second.errors.find("already") != std::string::npos;
        EXPECT_TRUE(second.exit.ok() || already) << second.errors;
        EXPECT_EQ(done(name, {"whoami"}).at(0)["address"], name + "@127.0.0.1");
        EXPECT_EQ(done(name, {"status"}).at(0)["logged_in"], true);
    }
}

TEST_F(WithServer, StatusSaysHowTheConnectionStands) {
    acquaint();
    done("b", {"send", "alice", "one"});
    const auto status = done("a", {"status"});
    ASSERT_EQ(status.size(), 1U);
    EXPECT_EQ(status[0]["logged_in"], true);
    EXPECT_EQ(status[0]["waiting"], 1);
    EXPECT_EQ(status[0]["prekeys"], 99) << "bob has used one";
    EXPECT_EQ(status[0]["kem_prekeys"], 99);
    EXPECT_EQ(status[0]["outbox"], 0);
    EXPECT_EQ(status[0]["contacts"], 1);
    EXPECT_NE(status[0]["connection"].get<std::string>().find("TLSv1.3"), std::string::npos);
}

TEST_F(WithServer, SendWaitsAsFarAsItIsTold) {
    acquaint();
    EXPECT_EQ(done("b", {"send", "alice", "one"}).at(0)["state"], "stored");
    EXPECT_EQ(done("b", {"send", "alice", "two", "--wait", "sent"}).size(), 1U);
    const auto unheard = sotto("b", {"send", "alice", "three", "--wait", "delivered", "--timeout", "1"});
    EXPECT_EQ(unheard.exit.code, 3);
    EXPECT_EQ(json::parse(unheard.output)["state"], "stored");
    EXPECT_NE(unheard.errors.find("nothing is lost"), std::string::npos) << unheard.errors;

    Process reader{command("a", {"receive", "--follow"})};
    ASSERT_TRUE(reader.wait_for("three", patience)) << reader.errors();
    EXPECT_EQ(done("b", {"send", "alice", "four", "--wait", "delivered"}).at(0)["state"], "delivered");
    reader.kill(SIGTERM);
    const auto exit = reader.wait(patience);
    ASSERT_TRUE(exit);
    EXPECT_EQ(exit->code, 0) << reader.errors();
    std::vector<std::string> texts;
    for (const auto& line : lines_of(reader.output())) texts.push_back(json::parse(line)["text"]);
    EXPECT_EQ(texts, (std::vector<std::string>{"one", "two", "three", "four"}));
}

TEST_F(WithServer, LinesBecomeMessagesInOrder) {
    acquaint();
    std::string lines;
    for (int i = 0; i < 300; ++i) lines += "line " + std::to_string(i) + "\n";
    EXPECT_EQ(done("b", {"send", "alice", "--lines"}, lines).size(), 300U);
    const auto got = done("a", {"receive"});
    ASSERT_EQ(got.size(), 300U);
    for (std::size_t i = 0; i < got.size(); ++i) ASSERT_EQ(got[i]["text"], "line " + std::to_string(i));
    EXPECT_EQ(done("a", {"receive", "--timeout", "0.5"}).size(), 0U);
}

TEST_F(WithServer, LinesLeaveAsTheyCome) {
    acquaint();
    Process writer{command("b", {"send", "alice", "--lines"})};
    writer.write("now\n");
    ASSERT_TRUE(writer.wait_for("stored", patience)) << writer.errors();
    EXPECT_EQ(done("a", {"receive"}).size(), 1U);
    writer.write("then\n");
    writer.close_input();
    const auto exit = writer.wait(patience);
    ASSERT_TRUE(exit);
    EXPECT_EQ(exit->code, 0) << writer.errors();
    EXPECT_EQ(done("a", {"receive"}).size(), 1U);
}

TEST_F(WithServer, ABadLineEndsTheRowAfterTheGoodOnes) {
    acquaint();
    const auto finished = sotto("b", {"send", "alice", "--lines"}, "good\nbad \xff\nnever\n");
    EXPECT_EQ(finished.exit.code, 1);
    EXPECT_NE(finished.errors.find("UTF-8"), std::string::npos);
    EXPECT_EQ(lines_of(finished.output).size(), 1U);
    EXPECT_EQ(done("a", {"receive"}).size(), 1U);
}

TEST_F(WithServer, OlderMessagesLeaveWithTheNextSend) {
    acquaint();
    stop();
    EXPECT_EQ(sotto("b", {"send", "alice", "older"}).exit.code, 3);
    start();
    done("b", {"send", "alice", "newer"});
    const auto got = done("a", {"receive"});
    ASSERT_EQ(got.size(), 2U);
    EXPECT_EQ(got[0]["text"], "older");
    EXPECT_EQ(got[1]["text"], "newer");
}

TEST_F(WithServer, ReceiveReturnsAtOnceWhenSomethingHasCome) {
    acquaint();
    done("b", {"send", "alice", "there already"});
    const auto before = std::chrono::steady_clock::now();
    EXPECT_EQ(done("a", {"receive", "--timeout", "50"}).size(), 1U);
    EXPECT_LT(std::chrono::steady_clock::now() - before, 30s);

    Process reader{command("a", {"receive", "--timeout", "50"})};
    EXPECT_FALSE(reader.wait(1s));
    done("b", {"send", "alice", "comes later"});
    const auto exit = reader.wait(30s);
    ASSERT_TRUE(exit);
    EXPECT_EQ(exit->code, 0);
    EXPECT_EQ(lines_of(reader.output()).size(), 1U);
}

TEST_F(WithServer, ALinkThatIsNotOnesOwnOrNotNewIsASentence) {
    acquaint();
    const std::string link = done("a", {"invite"}).at(0)["link"];
    EXPECT_EQ(sotto("a", {"contact", "add", link}).exit.code, 1);
    EXPECT_EQ(sotto("b", {"contact", "add", link}).exit.code, 1) << "alice is a contact already";
    EXPECT_EQ(sotto("b", {"contact", "add", link.substr(0, link.size() - 3)}).exit.code, 1);
    EXPECT_EQ(done("b", {"contact", "list"}).size(), 1U);
}

TEST_F(WithServer, BothSeeTheSameSafetyNumber) {
    acquaint();
    EXPECT_EQ(done("a", {"verify", "bob"}).at(0)["safety_number"],
              done("b", {"verify", "alice"}).at(0)["safety_number"]);
}

TEST_F(WithServer, WrongPinIsExitCode4) {
    auto words = init_words("alice");
    words[2] = link().substr(0, link().find('#') + 1) + std::string(43, 'A');
    const auto finished = sotto("a", words);
    EXPECT_EQ(finished.exit.code, 4);
    EXPECT_NE(finished.errors.find("pin"), std::string::npos) << finished.errors;
    words[2] = link().substr(0, link().find('#'));
    const auto unpinned = sotto("a", words);
    EXPECT_EQ(unpinned.exit.code, 4);
    EXPECT_NE(unpinned.errors.find("certificate"), std::string::npos) << unpinned.errors;
}

}  // namespace
}  // namespace sotto::test
