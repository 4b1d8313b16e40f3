// The program itself, started as an operator starts it.
#pragma once

#include <csignal>

#include "keyserver_net/tls_peer.hpp"

namespace sotto::keyserver::test {

using sotto::test::Finished;
using sotto::test::lines_of;
using sotto::test::Process;

inline constexpr std::chrono::seconds patience{60};

class ProgramTest : public testing::Test {
  protected:
    static Finished run(std::vector<std::string> words) {
        words.insert(words.begin(), SOTTO_KEYSERVER);
        sotto::test::Command command;
        command.args = std::move(words);
        return sotto::test::run(command);
    }
    Finished init(std::vector<std::string> more = {}) {
        std::vector<std::string> words{"init", "--data", data(), "--listen", "127.0.0.1:0"};
        words.insert(words.end(), more.begin(), more.end());
        return run(words);
    }
    /// Starts it and waits until it is ready.
    void start() {
        sotto::test::Command command;
        command.args = {SOTTO_KEYSERVER, "run", "--data", data()};
        process.emplace(command);
        ASSERT_TRUE(process->wait_for("ready on ", patience)) << process->errors();
        ASSERT_TRUE(process->wait_for("\n", patience));
        const auto line = lines_of(process->output()).front();
        ASSERT_TRUE(line.starts_with("sotto-keyserver ready on 127.0.0.1:")) << line;
        port = static_cast<std::uint16_t>(std::stoi(line.substr(line.rfind(':') + 1)));
    }
    [[nodiscard]] TlsPeer logged_in(const TestDevice& device, bool first, const std::string& invite = "",
                                    std::uint32_t* waiting = nullptr) const {
        TlsPeer peer{port};
        EXPECT_TRUE(peer.open(protocol::identified_target));
        const auto purpose = first ? crypto::LoginPurpose::registration : crypto::LoginPurpose::login;
        const auto proof = peer.proof(device, purpose);
        const auto answer =
            peer.ask(first ? register_request(device, proof, invite) : login_request(device, proof));
        EXPECT_TRUE(answer.has_welcome()) << code_of(answer);
        if (waiting != nullptr) *waiting = answer.welcome().waiting();
        return peer;
    }
    static void expect_sentence(const Finished& finished, int code, const std::string& word) {
        EXPECT_EQ(finished.exit.code, code) << finished.errors;
        const auto lines = lines_of(finished.errors);
        ASSERT_EQ(lines.size(), 1U) << finished.errors;
        EXPECT_TRUE(lines.front().starts_with("sotto-keyserver: "));
        EXPECT_NE(lines.front().find(word), std::string::npos) << lines.front();
        EXPECT_TRUE(finished.output.empty());
    }
    [[nodiscard]] std::string data() const { return (folder / "server").string(); }
    [[nodiscard]] std::string config() const {
        return sotto::test::read_file(folder / "server/sotto-keyserver.toml");
    }
    /// Gives a setting, which is there already, another value.
    void set(const std::string& name, const std::string& value) const {
        auto text = "\n" + config();
        const auto begin = text.find("\n" + name + " = ");
        ASSERT_NE(begin, std::string::npos) << name;
        text.replace(begin, text.find('\n', begin + 1) - begin, "\n" + name + " = " + value);
        sotto::test::write_file(folder / "server/sotto-keyserver.toml", text.substr(1));
    }
    void stop() {
        process->kill(SIGTERM);
        const auto exit = process->wait(patience);
        ASSERT_TRUE(exit);
        EXPECT_TRUE(exit->ok()) << process->errors();
    }
    static void set_shared(TlsPeer& peer, std::string_view word) {
        wire::Request request;
        auto& entry = *request.mutable_set_tokens()->add_tokens();
        entry.set_hash(token_hash_of(word));
        entry.set_kind(wire::TOKEN_KIND_SHARED);
        EXPECT_TRUE(peer.ask(request).has_done());
    }

    sotto::test::TemporaryFolder folder;
    std::optional<Process> process;
    std::uint16_t port = 0;
};

}  // namespace sotto::keyserver::test
