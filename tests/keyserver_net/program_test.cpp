// The program itself: its commands, its words, its exit codes, and its end.
#include "keyserver_net/program_fixture.hpp"

namespace sotto::keyserver::test {
namespace {

TEST_F(ProgramTest, InitPrintsAnAddressWithThePinOfTheServerThatRuns) {
    const auto made = init({"--registration", "open"});
    ASSERT_TRUE(made.exit.ok()) << made.errors;
    const auto address = lines_of(made.output);
    ASSERT_EQ(address.size(), 1U);
    EXPECT_TRUE(address.front().starts_with("sotto://127.0.0.1:0/#"));
    EXPECT_NE(made.errors.find("store.key"),
              std::string::npos);  // what the key beside the store doesn't protect
    start();
    auto with_port = address.front();
    with_port.replace(with_port.find(":0/"), 3, ":" + std::to_string(port) + "/");
    const auto link = protocol::parse_server_link(with_port);
    ASSERT_TRUE(link) << link.error();
    EXPECT_EQ(TlsPeer{port}.pin(), link->pin);
}

TEST_F(ProgramTest, FilesAreTheOwnersAlone) {
    ASSERT_TRUE(init().exit.ok());
    using std::filesystem::perms;
    EXPECT_EQ(std::filesystem::status(data()).permissions(), perms::owner_all);
    for (const auto& entry : std::filesystem::directory_iterator{data()})
        EXPECT_EQ(entry.status().permissions(), perms::owner_read | perms::owner_write) << entry.path();
}

TEST_F(ProgramTest, RefusesBadInputWithOneSentence) {
    ASSERT_TRUE(init().exit.ok());
    expect_sentence(init(), 1, "in use");
    const auto other = (folder / "other").string();
    expect_sentence(run({"init", "--data", other, "--listen", "nonsense"}), 1, "nonsense");
    expect_sentence(run({"init", "--data", other, "--listen", "127.0.0.1:99999"}), 1, "99999");
    expect_sentence(run({"init", "--data", other, "--listen", "0.0.0.0:7443"}), 1, "--name");
    expect_sentence(run({"init", "--data", other, "--name", "Not A Name"}), 1, "Not A Name");
    expect_sentence(run({"init", "--data", other, "--registration", "maybe"}), 1, "maybe");
    expect_sentence(run({"init", "--data", other, "--cert", "x.pem"}), 1, "--key");
    expect_sentence(run({"init", "--data", other, "--cert", "x.pem", "--key", "y.pem"}), 1, "x.pem");
    expect_sentence(run({"run", "--data", other}), 1, other);
    expect_sentence(run({"invite", "--data", other}), 1, other);
    expect_sentence(run({"invite", "--data", data(), "--expires", "0"}), 1, "--expires");
    expect_sentence(run({"run"}), 1, "--data");
    expect_sentence(run({"dance"}), 1, "--help");
    expect_sentence(run({}), 1, "--help");
    EXPECT_FALSE(std::filesystem::exists(other));
}

TEST_F(ProgramTest, RefusesADamagedConfigurationKeyOrStore) {
    ASSERT_TRUE(init().exit.ok());
    const auto config = folder / "server/sotto-keyserver.toml";
    const auto good = sotto::test::read_file(config);
    sotto::test::write_file(config, good + "\nregistraton = \"open\"\n");
    expect_sentence(run({"run", "--data", data()}), 1, "registraton");
    sotto::test::write_file(config, good + "\nthreads = \"two\"\n");
    expect_sentence(run({"run", "--data", data()}), 1, "line");  // there twice
    sotto::test::write_file(config, "[[[");
    expect_sentence(run({"run", "--data", data()}), 1, "line 1");
    sotto::test::write_file(config, good);
    const auto key = folder / "server/store.key";
    const auto good_key = sotto::test::read_file(key);
    sotto::test::write_file(key, "xyz");
    expect_sentence(run({"run", "--data", data()}), 1, "64");
    sotto::test::write_file(key, std::string(64, 'a'));
    expect_sentence(run({"--log-level", "off", "run", "--data", data()}), 3, "store");
    sotto::test::write_file(key, good_key);
    sotto::test::write_file(folder / "server/tls-key.pem", "no key");
    expect_sentence(run({"run", "--data", data()}), 1, "tls-key.pem");
}

TEST_F(ProgramTest, UsesACertificateThatIsGivenAndRefusesOneThatDoesNotFit) {
    ASSERT_TRUE(init().exit.ok());
    const auto given = [&](const std::string& certificate, const std::string& key) {
        return run({"init", "--data", (folder / "given").string(), "--cert", certificate, "--key", key});
    };
    const auto certificate = (folder / "server/tls-certificate.pem").string();
    const auto key = (folder / "server/tls-key.pem").string();
    ASSERT_TRUE(run({"init", "--data", (folder / "third").string()}).exit.ok());
    expect_sentence(given(certificate, (folder / "third/tls-key.pem").string()), 1, "does not belong");
    const auto made = given(certificate, key);
    EXPECT_TRUE(made.exit.ok()) << made.errors;
    EXPECT_FALSE(std::filesystem::exists(folder / "given/tls-key.pem"));
}

TEST_F(ProgramTest, InvitesLetOnePersonInEachAlsoWhileItRuns) {
    ASSERT_TRUE(init().exit.ok());
    start();
    const auto made = run({"invite", "--data", data()});
    ASSERT_TRUE(made.exit.ok()) << made.errors;
    const auto code = lines_of(made.output).front();
    const auto all = [&] {
        std::string content;
        for (const auto& entry : std::filesystem::directory_iterator{data()})
            content += sotto::test::read_file(entry.path());
        return content;
    };
    EXPECT_EQ(all().find(code), std::string::npos);
    logged_in(TestDevice{"alice", 1, 1, "127.0.0.1"}, true, code).cut();
    TlsPeer second{port};
    ASSERT_TRUE(second.open(protocol::identified_target));
    const TestDevice bob{"bob", 2, 1, "127.0.0.1"};
    EXPECT_EQ(code_of(second.ask(
                  register_request(bob, second.proof(bob, crypto::LoginPurpose::registration), code))),
              wire::FAILURE_INVITE_BAD);
}

TEST_F(ProgramTest, StopsInGoodOrderOnSigtermAndSigint) {
    ASSERT_TRUE(init({"--registration", "open"}).exit.ok());
    for (const int signal : {SIGTERM, SIGINT}) {
        start();
        TlsPeer peer{port};
        ASSERT_TRUE(peer.open(protocol::delivery_target));
        process->kill(signal);
        const auto push = peer.push();
        EXPECT_TRUE(push && push->has_closing());
        EXPECT_FALSE(peer.receive());
        EXPECT_EQ(peer.close_code(), 1001U);
        const auto exit = process->wait(patience);
        ASSERT_TRUE(exit);
        EXPECT_TRUE(exit->ok()) << process->errors();
    }
}

TEST_F(ProgramTest, LosesNothingThatItAnsweredWhenItIsKilled) {
    ASSERT_TRUE(init({"--registration", "open"}).exit.ok());
    start();
    const TestDevice bob{"bob", 1, 1, "127.0.0.1"};
    {
        auto owner = logged_in(bob, true);
        wire::Request request;
        auto& entry = *request.mutable_set_tokens()->add_tokens();
        entry.set_hash(token_hash_of("token"));
        entry.set_kind(wire::TOKEN_KIND_SHARED);
        ASSERT_TRUE(owner.ask(request).has_done());
    }
    std::vector<std::string> stored;
    for (int round = 0; round < 4; ++round) {
        TlsPeer sender{port};
        ASSERT_TRUE(sender.open(protocol::delivery_target));
        // Many under way at once, and the end in the middle of them.
        for (std::uint32_t i = 0; i < 60; ++i) {
            const auto text = std::to_string(round) + "." + std::to_string(i);
            auto request = deliver_request("bob", 1, text, envelope(text), "token");
            request.set_id(i + 1);
            if (!sender.send(request)) break;
        }
        for (int answers = 0; answers < 10 + round * 13; ++answers) {
            const auto answer = sender.receive();
            if (!answer) break;
            ASSERT_EQ(state_of(answer), wire::DELIVERY_STORED);
            stored.push_back(std::to_string(round) + "." + std::to_string(answer->id() - 1));
        }
        process->kill(SIGKILL);
        process->wait(patience);
        start();
    }
    std::uint32_t waiting = 0;
    auto back = logged_in(bob, false, "", &waiting);
    EXPECT_GE(waiting, stored.size());
    std::vector<std::string> got;
    while (got.size() < waiting) {
        const auto push = back.push();
        ASSERT_TRUE(push && push->has_incoming());
        got.push_back(push->incoming().envelope().substr(1));
        ASSERT_TRUE(back.ask(acknowledge_request({push->incoming().envelope_id()})).has_done());
    }
    EXPECT_GE(stored.size(), 40U);
    for (const auto& text : stored) EXPECT_EQ(std::ranges::count(got, text), 1) << text;
}

TEST_F(ProgramTest, LogsNamesOfNobody) {
    ASSERT_TRUE(init({"--registration", "open"}).exit.ok());
    start();
    logged_in(TestDevice{"verysecretname", 1, 1, "127.0.0.1"}, true).cut();
    process->kill(SIGTERM);
    ASSERT_TRUE(process->wait(patience));
    EXPECT_EQ(process->errors().find("verysecretname"), std::string::npos);
    EXPECT_EQ(process->output().find("verysecretname"), std::string::npos);
}

}  // namespace
}  // namespace sotto::keyserver::test
