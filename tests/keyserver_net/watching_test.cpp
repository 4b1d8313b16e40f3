// What the server tells its operator: check, metrics, health, logs.
#include <nlohmann/json.hpp>

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "keyserver_net/program_fixture.hpp"

namespace sotto::keyserver::test {
namespace {

using Json = nlohmann::json;

/// The whole response to a plain HTTP request.
[[nodiscard]] std::string http(std::uint16_t port, const std::string& request) {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(port);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    std::string out;
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0 &&
        ::send(fd, request.data(), request.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(request.size())) {
        std::array<char, 4096> part{};
        for (ssize_t size = 0; (size = ::recv(fd, part.data(), part.size(), 0)) > 0;)
            out.append(part.data(), static_cast<std::size_t>(size));
    }
    ::close(fd);
    return out;
}
[[nodiscard]] std::string get(std::uint16_t port, const std::string& path) {
    return http(port, "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
}

class WatchingTest : public ProgramTest {
  protected:
    WatchingTest() {
        // A port that `check` can know beforehand.
        listen = "127.0.0.1:" + std::to_string(sotto::test::free_port());
        EXPECT_TRUE(run({"init", "--data", data(), "--listen", listen, "--registration", "open"}).exit.ok());
    }
    [[nodiscard]] Json checked(int code = 0) const {
        const auto finished = run({"check", "--json", "--data", data()});
        EXPECT_EQ(finished.exit.code, code) << finished.errors;
        return Json::parse(finished.output);
    }
    /// What `check` found of one thing; empty if it was not looked at.
    [[nodiscard]] static std::string state(const Json& findings, const std::string& what) {
        for (const auto& finding : findings)
            if (finding["check"] == what) return finding["state"].get<std::string>();
        return "";
    }
    void with_metrics() {
        metrics = sotto::test::free_port();
        set("metrics_listen", "\"127.0.0.1:" + std::to_string(metrics) + "\"");
        start();
    }
    std::string listen;
    std::uint16_t metrics = 0;
};

TEST_F(WatchingTest, CheckFindsAServerThatIsWellRunningOrNot) {
    auto findings = checked();
    for (const auto* what : {"configuration", "certificate", "store"})
        EXPECT_EQ(state(findings, what), "ok") << what;
    EXPECT_EQ(state(findings, "address"), "skipped");
    EXPECT_NE(state(findings, "clock"), "failed");
    EXPECT_NE(state(findings, "file limit"), "");
    start();
    findings = checked();
    EXPECT_EQ(state(findings, "address"), "ok");
    EXPECT_EQ(state(findings, "store"), "ok");
    const auto text = run({"check", "--data", data()});
    EXPECT_TRUE(text.exit.ok());
    EXPECT_NE(text.output.find("ok  address: "), std::string::npos) << text.output;
}

TEST_F(WatchingTest, CheckFindsABadSettingOrKeyOrStoreAndSaysWhich) {
    const auto good = config();
    set("mailbox_days", "0");
    auto findings = checked(1);
    EXPECT_EQ(state(findings, "configuration"), "failed");
    sotto::test::write_file(folder / "server/sotto-keyserver.toml", good);

    const auto key = sotto::test::read_file(folder / "server/tls-key.pem");
    ASSERT_TRUE(run({"init", "--data", (folder / "other").string()}).exit.ok());
    sotto::test::write_file(folder / "server/tls-key.pem",
                            sotto::test::read_file(folder / "other/tls-key.pem"));
    EXPECT_EQ(state(checked(1), "certificate"), "failed");
    sotto::test::write_file(folder / "server/tls-key.pem", key);

    auto store = sotto::test::read_file(folder / "server/store.db");
    store.at(5000) ^= 1;
    sotto::test::write_file(folder / "server/store.db", store);
    const auto finished = run({"check", "--data", data()});
    EXPECT_EQ(finished.exit.code, 3);
    EXPECT_NE(finished.output.find("failed  store"), std::string::npos);
    EXPECT_EQ(lines_of(finished.errors).size(), 1U) << finished.errors;
}

TEST_F(WatchingTest, CheckFindsAServerThatShowsAnotherCertificateThanTheConfiguredOne) {
    start();
    ASSERT_TRUE(run({"init", "--data", (folder / "other").string()}).exit.ok());
    for (const auto* file : {"tls-certificate.pem", "tls-key.pem"})
        std::filesystem::copy_file(folder / "other" / file, folder / "server" / file,
                                   std::filesystem::copy_options::overwrite_existing);
    EXPECT_EQ(state(checked(3), "address"), "failed");
    process->kill(SIGHUP);
    ASSERT_TRUE(process->wait_for("reloaded", patience, true));
    EXPECT_EQ(state(checked(), "address"), "ok");
}

TEST_F(WatchingTest, CheckFindsAnAddressThatLeadsNowhere) {
    const auto nobody = "127.0.0.1:" + std::to_string(sotto::test::free_port());
    const auto finished = run({"check", "--data", data(), "--address", nobody});
    EXPECT_EQ(finished.exit.code, 3);
    EXPECT_NE(finished.output.find("failed  address"), std::string::npos);
    for (const auto* bad : {"nonsense", ":1", "host:", "host:0", "host:99999", "host:1x"})
        expect_sentence(run({"check", "--data", data(), "--address", bad}), 1, bad);
    const auto none = run({"check", "--data", (folder / "none").string()});
    EXPECT_EQ(none.exit.code, 1);
    EXPECT_FALSE(std::filesystem::exists(folder / "none"));
}

TEST_F(WatchingTest, MetricsCountWhatHappensAndNameNobody) {
    with_metrics();
    const TestDevice bob{"verysecretname", 1, 1, "127.0.0.1"};
    auto peer = logged_in(bob, true);
    set_shared(peer, "token");
    TlsPeer sender{port};
    ASSERT_TRUE(sender.open(protocol::delivery_target));
    EXPECT_EQ(code_of(sender.ask(deliver_request("nobody", 1, "x", envelope("x"), "token"))),
              wire::FAILURE_REFUSED);
    const auto text = get(metrics, "/metrics");
    EXPECT_TRUE(text.starts_with("HTTP/1.1 200")) << text;
    for (const auto* line :
         {"\nsotto_connections 2\n", "\nsotto_devices_online 1\n",
          "\nsotto_registrations_total{outcome=\"done\"} 1\n",
          "\nsotto_deliveries_total{outcome=\"refused\"} 1\n", "\nsotto_websockets_total 2\n",
          "\nsotto_handshakes_total 2\n", "\nsotto_ready 1\n"})
        EXPECT_NE(text.find(line), std::string::npos) << line << text;
    EXPECT_EQ(text.find("sotto_store_commit_seconds_count 0\n"), std::string::npos);
    EXPECT_EQ(text.find("verysecretname"), std::string::npos);
    EXPECT_EQ(text.find("127.0.0.1"), std::string::npos);
}

TEST_F(WatchingTest, HealthAndReadinessAnswerAndNothingElseDoes) {
    with_metrics();
    EXPECT_TRUE(get(metrics, "/healthz").starts_with("HTTP/1.1 200"));
    EXPECT_TRUE(get(metrics, "/readyz").ends_with("ready\n"));
    EXPECT_TRUE(get(metrics, "/").starts_with("HTTP/1.1 404"));
    EXPECT_TRUE(http(metrics, "POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
                    .starts_with("HTTP/1.1 405"));
    EXPECT_TRUE(http(metrics, "HEAD /healthz HTTP/1.1\r\nHost: x\r\n\r\n").ends_with("\r\n\r\n"));
    EXPECT_TRUE(http(metrics, "nonsense\r\n\r\n").empty());
    EXPECT_TRUE(http(metrics, "GET /" + std::string(10'000, 'x') + " HTTP/1.1\r\n\r\n").empty());
    EXPECT_TRUE(get(metrics, "/metrics").starts_with("HTTP/1.1 200"));
    stop();
    EXPECT_TRUE(get(metrics, "/healthz").empty());
}

TEST_F(WatchingTest, AMetricsPortThatIsTakenIsOneSentence) {
    set("metrics_listen", "\"" + listen + "\"");  // its own
    const auto finished = run({"run", "--log-level", "off", "--data", data()});
    expect_sentence(finished, 3, "metrics");
}

TEST_F(WatchingTest, JsonLogsAreOneObjectALineAndNameNobody) {
    set("log_format", "\"json\"");
    start();
    const TestDevice bob{"verysecretname", 1, 1, "127.0.0.1"};
    logged_in(bob, true).cut();
    process->kill(SIGHUP);
    ASSERT_TRUE(process->wait_for("reloaded", patience, true));
    set("mailbox_days", "\"a \\\" quote\"");
    process->kill(SIGHUP);
    ASSERT_TRUE(process->wait_for("mailbox_days", patience, true));
    stop();
    const auto lines = lines_of(process->errors());
    EXPECT_GE(lines.size(), 4U);
    for (const auto& line : lines) {
        const auto entry = Json::parse(line, nullptr, false);
        ASSERT_TRUE(entry.is_object()) << line;
        EXPECT_TRUE(entry.contains("time") && entry.contains("level") && entry.contains("message")) << line;
    }
    EXPECT_EQ(process->errors().find("verysecretname"), std::string::npos);
}

TEST_F(WatchingTest, TheLogLevelIsThatOfTheConfigurationUnlessTheCommandSaysAnother) {
    set("log_level", "\"off\"");
    start();
    stop();
    EXPECT_TRUE(process->errors().empty()) << process->errors();
    sotto::test::Command command;
    command.args = {SOTTO_KEYSERVER, "run", "--log-level", "info", "--data", data()};
    process.emplace(command);
    EXPECT_TRUE(process->wait_for("[info] ready", patience, true));
    stop();
}

}  // namespace
}  // namespace sotto::keyserver::test
