// Accounts and invites, looked after while the server runs.
#include <nlohmann/json.hpp>

#include "keyserver_net/program_fixture.hpp"

namespace sotto::keyserver::test {
namespace {

using Json = nlohmann::json;

class OperationTest : public ProgramTest {
  protected:
    OperationTest() {
        EXPECT_TRUE(init({"--registration", "open"}).exit.ok());
        start();
    }
    [[nodiscard]] Json json(std::vector<std::string> words) const {
        words.insert(words.end(), {"--data", data(), "--json"});
        const auto finished = run(words);
        EXPECT_TRUE(finished.exit.ok()) << finished.errors;
        EXPECT_EQ(lines_of(finished.output).size(), 1U);
        return Json::parse(finished.output);
    }
    [[nodiscard]] Finished command(std::vector<std::string> words) const {
        words.insert(words.end(), {"--data", data()});
        return run(words);
    }
    [[nodiscard]] wire::FailureCode login(const TestDevice& device) const {
        TlsPeer peer{port};
        EXPECT_TRUE(peer.open(protocol::identified_target));
        return code_of(peer.ask(login_request(device, peer.proof(device, crypto::LoginPurpose::login))));
    }
    [[nodiscard]] wire::Reply deliver(const std::string& to, const std::string& text) const {
        TlsPeer sender{port};
        EXPECT_TRUE(sender.open(protocol::delivery_target));
        return sender.ask(deliver_request(to, 1, text, envelope(text), "token"));
    }
    const TestDevice alice{"alice", 1, 1, "127.0.0.1"};
    const TestDevice bob{"bob", 2, 1, "127.0.0.1"};
};

TEST_F(OperationTest, UsersAreListedAndShown) {
    auto peer = logged_in(bob, true);
    set_shared(peer, "token");
    logged_in(alice, true).cut();
    const auto users = json({"user", "list"});
    ASSERT_EQ(users.size(), 2U);
    EXPECT_EQ(users[0]["user"], "alice");
    EXPECT_EQ(users[1]["state"], "active");
    const auto shown = json({"user", "show", "bob"});
    EXPECT_EQ(shown["tokens"]["shared"], 1);
    EXPECT_EQ(shown["device_list"][0]["device"], 1);
    const auto text = command({"user", "list"});
    EXPECT_EQ(lines_of(text.output).size(), 2U);
    EXPECT_NE(command({"user", "show", "bob"}).output.find("bob is active"), std::string::npos);
}

TEST_F(OperationTest, ADisabledUsersConnectionEndsAndNobodyGetsInUntilEnabled) {
    auto peer = logged_in(bob, true);
    set_shared(peer, "token");
    EXPECT_EQ(json({"user", "disable", "bob"})["state"], "disabled");
    EXPECT_TRUE(peer.wait_for_end());
    EXPECT_EQ(login(bob), wire::FAILURE_REFUSED);
    EXPECT_EQ(code_of(deliver("bob", "x")), wire::FAILURE_REFUSED);
    EXPECT_EQ(json({"user", "enable", "bob"})["state"], "active");
    EXPECT_EQ(login(bob), wire::FAILURE_UNSPECIFIED);
    EXPECT_TRUE(deliver("bob", "x").has_delivered());
}

TEST_F(OperationTest, ADeletedUsersConnectionEndsAndNothingIsLeft) {
    auto peer = logged_in(bob, true);
    set_shared(peer, "token");
    auto other = logged_in(alice, true);
    ASSERT_TRUE(command({"user", "delete", "bob"}).exit.ok());
    EXPECT_TRUE(peer.wait_for_end());
    EXPECT_EQ(login(bob), wire::FAILURE_REFUSED);
    EXPECT_EQ(code_of(deliver("bob", "x")), wire::FAILURE_REFUSED);
    expect_sentence(command({"user", "show", "bob"}), 1, "'bob'");
    EXPECT_EQ(json({"user", "list"}).size(), 1U);
    // The others notice nothing.
    wire::Request ping;
    ping.mutable_ping();
    EXPECT_TRUE(other.ask(ping).has_done());
    stop();
    start();
    EXPECT_EQ(login(bob), wire::FAILURE_REFUSED);
    logged_in(bob, true).cut();
}

TEST_F(OperationTest, InvitesAreCreatedListedAndRevoked) {
    set("registration", "\"invite\"");
    process->kill(SIGHUP);
    ASSERT_TRUE(process->wait_for("reloaded", patience, true));
    const auto first = json({"invite", "create", "--expires", "1"});
    const auto second = lines_of(command({"invite"}).output).front();
    ASSERT_EQ(json({"invite", "list"}).size(), 2U);
    EXPECT_EQ(json({"invite", "list"})[0]["id"], first["id"]);  // the next to expire
    EXPECT_EQ(command({"invite", "list"}).output.find(second), std::string::npos);
    EXPECT_TRUE(json({"invite", "revoke", first["id"].get<std::string>()})["revoked"].get<bool>());
    ASSERT_TRUE(command({"invite", "revoke", second}).exit.ok());
    EXPECT_TRUE(json({"invite", "list"}).empty());
    for (const auto& code : {first["invite"].get<std::string>(), second}) {
        TlsPeer peer{port};
        ASSERT_TRUE(peer.open(protocol::identified_target));
        const auto proof = peer.proof(alice, crypto::LoginPurpose::registration);
        EXPECT_EQ(code_of(peer.ask(register_request(alice, proof, code))), wire::FAILURE_INVITE_BAD);
    }
}

TEST_F(OperationTest, BadInputIsOneSentenceAndChangesNothing) {
    logged_in(bob, true).cut();
    for (const auto* verb : {"show", "disable", "enable", "delete"}) {
        expect_sentence(command({"user", verb, "nobody"}), 1, "'nobody'");
        expect_sentence(command({"user", verb}), 1, "NAME");
        expect_sentence(run({"user", verb, "bob"}), 1, "--data");
        expect_sentence(run({"user", verb, "bob", "--data", (folder / "none").string()}), 1, "none");
    }
    expect_sentence(command({"user"}), 1, "--help");
    expect_sentence(command({"user", "promote", "bob"}), 1, "--help");
    expect_sentence(command({"invite", "revoke", "abc"}), 1, "four digits");
    expect_sentence(command({"invite", "revoke", "abcdef"}), 1, "no such invite");
    expect_sentence(command({"invite", "create", "--expires", "0"}), 1, "--expires");
    EXPECT_EQ(json({"user", "list"})[0]["state"], "active");
    EXPECT_TRUE(json({"invite", "list"}).empty());
    EXPECT_FALSE(std::filesystem::exists(folder / "none"));
}

TEST_F(OperationTest, NewLimitsAndRegistrationHoldWithoutAnotherStart) {
    auto peer = logged_in(bob, true);
    set_shared(peer, "token");
    peer.cut();
    set("mailbox_envelopes", "1");
    set("registration", "\"closed\"");
    set("threads", "1");
    process->kill(SIGHUP);
    ASSERT_TRUE(process->wait_for("reloaded", patience, true));
    EXPECT_NE(process->errors().find("'threads'"), std::string::npos);
    EXPECT_TRUE(deliver("bob", "1").has_delivered());
    EXPECT_EQ(code_of(deliver("bob", "2")), wire::FAILURE_MAILBOX_FULL);
    TlsPeer stranger{port};
    ASSERT_TRUE(stranger.open(protocol::identified_target));
    EXPECT_EQ(stranger.hello().registration(), wire::REGISTRATION_CLOSED);
}

TEST_F(OperationTest, ABadReloadChangesNothingAndSaysWhy) {
    const auto pin = TlsPeer{port}.pin();
    const auto good = config();
    set("mailbox_envelopes", "0");
    process->kill(SIGHUP);
    ASSERT_TRUE(process->wait_for("'mailbox_envelopes' must be a number from 1", patience, true));
    sotto::test::write_file(folder / "server/sotto-keyserver.toml", good);
    set("registration", "\"closed\"");
    const auto key = sotto::test::read_file(folder / "server/tls-key.pem");
    sotto::test::write_file(folder / "server/tls-key.pem", "no key");
    process->kill(SIGHUP);
    ASSERT_TRUE(process->wait_for("tls-key.pem", patience, true));
    EXPECT_EQ(process->errors().find("reloaded\n"), std::string::npos);
    TlsPeer peer{port};
    EXPECT_EQ(peer.pin(), pin);
    ASSERT_TRUE(peer.open(protocol::identified_target));
    EXPECT_EQ(peer.hello().registration(), wire::REGISTRATION_OPEN);  // nor half of it
    sotto::test::write_file(folder / "server/tls-key.pem", key);
    process->kill(SIGHUP);
    ASSERT_TRUE(process->wait_for("] reloaded", patience, true));
}

TEST_F(OperationTest, ANewCertificateIsShownToNewConnectionsAndOldOnesGoOn) {
    auto before = logged_in(bob, true);
    const auto pin = TlsPeer{port}.pin();
    ASSERT_TRUE(run({"init", "--data", (folder / "other").string(), "--listen", "127.0.0.1:0"}).exit.ok());
    for (const auto* file : {"tls-certificate.pem", "tls-key.pem"})
        std::filesystem::copy_file(folder / "other" / file, folder / "server" / file,
                                   std::filesystem::copy_options::overwrite_existing);
    process->kill(SIGHUP);
    ASSERT_TRUE(process->wait_for("reloaded", patience, true));
    EXPECT_NE(process->errors().find("another key"), std::string::npos);
    // Each thread takes it over by itself, so more than one is asked.
    for (int i = 0; i < 8; ++i) {
        TlsPeer after{port};
        EXPECT_NE(after.pin(), pin);
    }
    wire::Request ping;
    ping.mutable_ping();
    EXPECT_TRUE(before.ask(ping).has_done());
}

}  // namespace
}  // namespace sotto::keyserver::test
