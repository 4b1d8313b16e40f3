#include "keyserver/app/config.hpp"

#include <gtest/gtest.h>

#include <set>

#include "keyserver/app/node.hpp"

namespace sotto::keyserver::test {
namespace {

[[nodiscard]] Outcome<Config> parsed(const std::string& more) {
    return parse_config("name = \"chat.example\"\n" + more, "the file", "/data");
}
[[nodiscard]] std::string complaint(const std::string& more) {
    const auto config = parsed(more);
    return config ? "" : config.error().sentence;
}
[[nodiscard]] std::string line(const LimitSetting& setting, std::int64_t value) {
    return std::string{setting.name} + " = " + std::to_string(value) + "\n";
}

TEST(Config, OfANewServerHasEverySettingAndReadsAsItsDefaults) {
    Config made;
    made.name = "chat.example";
    made.listen = parse_listen(default_listen).value();
    const auto text = format_config(made);
    const auto read = parse_config(text, "the file", "/data");
    ASSERT_TRUE(read) << read.error().sentence;
    EXPECT_EQ(read->limits, Limits{});
    EXPECT_EQ(read->max_connections, made.max_connections);
    EXPECT_EQ(read->certificate, "/data/tls-certificate.pem");
    EXPECT_FALSE(read->metrics_listen);
    for (const auto& setting : limit_settings())
        EXPECT_NE(text.find("\n" + std::string{setting.name} + " = "), std::string::npos) << setting.name;
    for (const auto* name : {"listen", "name", "registration", "certificate", "key", "store_key_file",
                             "unbound", "threads", "max_connections", "metrics_listen", "log_level",
                             "log_format", "ice_servers", "turn_secret_file", "turn_lifetime_s"})
        EXPECT_NE(text.find("\n" + std::string{name} + " = "), std::string::npos) << name;
    // The same without any of them.
    EXPECT_EQ(parsed("")->limits, Limits{});
}

TEST(Config, EveryLimitIsTakenAtItsBoundsAndRefusedPastThem) {
    for (const auto& setting : limit_settings()) {
        for (const auto value : {setting.low, setting.high}) {
            const auto config = parsed(line(setting, value));
            ASSERT_TRUE(config) << config.error().sentence;
            EXPECT_EQ(setting.get(config->limits), value) << setting.name;
            auto others = config->limits;
            setting.set(others, setting.get(Limits{}));
            auto defaults = Limits{};
            setting.set(defaults, setting.get(Limits{}));
            EXPECT_EQ(others, defaults) << setting.name << " changes another one";
        }
        for (const auto value : {setting.low - 1, setting.high + 1}) {
            const auto sentence = complaint(line(setting, value));
            EXPECT_NE(sentence.find("'" + std::string{setting.name} + "' must be a number from " +
                                    std::to_string(setting.low) + " to " + std::to_string(setting.high)),
                      std::string::npos)
                << sentence;
        }
        EXPECT_NE(complaint(std::string{setting.name} + " = \"many\"").find("must be a number"),
                  std::string::npos);
    }
}

TEST(Config, NoTwoLimitsShareANameOrAField) {
    std::set<std::string> names;
    for (const auto& setting : limit_settings()) {
        EXPECT_TRUE(names.insert(setting.name).second) << setting.name;
        EXPECT_GE(setting.get(Limits{}), setting.low) << setting.name;
        EXPECT_LE(setting.get(Limits{}), setting.high) << setting.name;
    }
}

TEST(Config, TakesUnitsThatPeopleThinkIn) {
    const auto limits = parsed("mailbox_mib = 2\nidle_s = 20\nopen_prekeys_per_hour = 3600\n")->limits;
    EXPECT_EQ(limits.mailbox_bytes, 2 * 1024 * 1024);
    EXPECT_EQ(limits.idle_ms, 20'000U);
    EXPECT_DOUBLE_EQ(limits.open_prekeys_per_second, 1.0);
}

TEST(Config, RefusesWhatItDoesNotKnowOrUnderstandInOneSentence) {
    EXPECT_EQ(complaint("registraton = \"open\""),
              "The configuration the file is wrong: there is no setting 'registraton'.");
    EXPECT_EQ(complaint("[limits]\nmailbox_days = 3"),
              "The configuration the file is wrong: there is no setting 'limits'.");
    EXPECT_NE(complaint("unbound = \"yes\"").find("'unbound' must be true or false"), std::string::npos);
    EXPECT_NE(complaint("registration = \"maybe\"").find("'maybe'"), std::string::npos);
    EXPECT_NE(complaint("listen = \"here\"").find("'here'"), std::string::npos);
    EXPECT_NE(complaint("log_level = \"loud\"").find("'log_level' must be one of \"debug\""),
              std::string::npos);
    EXPECT_NE(complaint("log_format = \"xml\"").find("'log_format' must be one of \"text\", \"json\""),
              std::string::npos);
    EXPECT_NE(complaint("threads = 257").find("from 0 to 256"), std::string::npos);
    EXPECT_NE(complaint("mailbox_days = 1.5").find("must be a number"), std::string::npos);
    EXPECT_FALSE(parse_config("", "the file", "/data"));  // a server has a name
}

TEST(Config, OffersMetricsToTheOwnMachineAlone) {
    EXPECT_EQ(parsed("metrics_listen = \"127.0.0.1:9464\"")->metrics_listen->port, 9464);
    EXPECT_EQ(parsed("metrics_listen = \"[::1]:9464\"")->metrics_listen->host, "::1");
    EXPECT_NE(complaint("metrics_listen = \"0.0.0.0:9464\"").find("loopback"), std::string::npos);
    EXPECT_NE(complaint("metrics_listen = \"nonsense\"").find("nonsense"), std::string::npos);
}

TEST(Config, HandsTheNetworkItsShareOfTheLimits) {
    // As the network has them by itself, and one by one.
    const auto patience = patience_of(Limits{});
    const Patience own;
    EXPECT_EQ(patience.handshake, own.handshake);
    EXPECT_EQ(patience.login, own.login);
    EXPECT_EQ(patience.message, own.message);
    EXPECT_EQ(patience.write, own.write);
    EXPECT_EQ(patience.idle, own.idle);
    EXPECT_EQ(patience.close, own.close);
    const auto set =
        parsed("handshake_s = 1\nlogin_s = 2\nframe_s = 3\nreading_s = 4\nidle_s = 50\ngoodbye_s = 6\n")
            ->limits;
    EXPECT_EQ(patience_of(set).handshake, 1000U);
    EXPECT_EQ(patience_of(set).login, 2000U);
    EXPECT_EQ(patience_of(set).message, 3000U);
    EXPECT_EQ(patience_of(set).write, 4000U);
    EXPECT_EQ(patience_of(set).idle, 50'000U);
    EXPECT_EQ(patience_of(set).close, 6000U);
    EXPECT_EQ(gate_of(Limits{}).connections, GateLimits{}.connections);
    EXPECT_DOUBLE_EQ(gate_of(Limits{}).burst, GateLimits{}.burst);
    EXPECT_DOUBLE_EQ(gate_of(Limits{}).per_second, GateLimits{}.per_second);
}

}  // namespace
}  // namespace sotto::keyserver::test
