// STUN and TURN servers as the operator writes them.
#include "keyserver/app/ice.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "keyserver/app/config.hpp"
#include "support/process.hpp"

namespace sotto::keyserver::test {
namespace {

TEST(IceConfig, TakesTheUrisOfTheRfcs) {
    using Kind = IceServer::Kind;
    const std::vector<std::pair<std::string, IceServer>> good{
        {"stun:stun.example", {Kind::stun, "stun.example", 3478}},
        {"stun:192.0.2.1:99", {Kind::stun, "192.0.2.1", 99}},
        {"stun:[2001:db8::1]", {Kind::stun, "2001:db8::1", 3478}},
        {"turn:[2001:db8::1]:5000", {Kind::turn_udp, "2001:db8::1", 5000}},
        {"turn:turn.example:3478?transport=udp", {Kind::turn_udp, "turn.example", 3478}},
        {"turn:turn.example?transport=tcp", {Kind::turn_tcp, "turn.example", 3478}}};
    for (const auto& [uri, server] : good) {
        const auto read = parse_ice_server(uri);
        ASSERT_TRUE(read) << uri;
        EXPECT_EQ(*read, server) << uri;
    }
    for (const auto* const bad :
         {"", "stun:", "turns:turn.example", "http://turn.example", "stun:a b", "stun:turn.example:0",
          "stun:turn.example:99999", "stun:turn.example:", "stun:turn.example?transport=udp",
          "turn:turn.example?transport=sctp", "turn:TURN.example", "stun:[::1", "stun:::1"}) {
        const auto read = parse_ice_server(bad);
        ASSERT_FALSE(read) << bad;
        EXPECT_NE(read.error().sentence.find("is no STUN or TURN server"), std::string::npos);
    }
}

TEST(IceConfig, APasswordIsWhatCoturnExpects) {
    // printf %s 1700000000:0011223344556677 | openssl dgst -sha1 -hmac north -binary | base64
    EXPECT_EQ(turn_password(bytes_of("north"), "1700000000:0011223344556677"),
              "xeR5jSK5JAYmED84O3rxbqsBmeY=");
}

class IceFiles : public testing::Test {
  protected:
    [[nodiscard]] Outcome<std::shared_ptr<const IceOffer>> loaded(const std::string& secret) {
        std::ofstream{folder.path() / "turn.secret"} << secret;
        const auto config = parse_config(
            "name = \"chat.example\"\nice_servers = [\"stun:a.example\", \"turn:a.example\"]\n"
            "turn_secret_file = \"turn.secret\"\nturn_lifetime_s = 700\n",
            "the file", folder.path());
        if (!config) return std::unexpected(config.error());
        return load_ice(*config);
    }
    sotto::test::TemporaryFolder folder;
};

TEST_F(IceFiles, TheSecretIsReadWithoutTheEndOfItsLine) {
    const auto offer = loaded("a secret of some length\n");
    ASSERT_TRUE(offer) << offer.error().sentence;
    EXPECT_EQ((*offer)->servers.size(), 2U);
    EXPECT_EQ((*offer)->lifetime_s, 700U);
    EXPECT_EQ((*offer)->password("me"), turn_password(bytes_of("a secret of some length"), "me"));
}

TEST_F(IceFiles, AShortOrMissingSecretIsRefused) {
    const auto refused = loaded("short\n");
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().sentence.find("shorter than 16 bytes"), std::string::npos);
    const auto config = parse_config(
        "name = \"a.example\"\nice_servers = [\"turn:a.example\"]\n"
        "turn_secret_file = \"nowhere\"\n",
        "the file", folder.path());
    EXPECT_FALSE(load_ice(*config));
}

TEST_F(IceFiles, WhatIsWrongInTheListIsSaidOnce) {
    for (const auto* const line : {"ice_servers = \"stun:a.example\"", "ice_servers = [1]",
                                   R"(ice_servers = ["a","a","a","a","a","a","a","a","a"])"}) {
        const auto config =
            parse_config(std::string{"name = \"a.example\"\n"} + line, "the file", folder.path());
        ASSERT_FALSE(config) << line;
        EXPECT_NE(config.error().sentence.find("'ice_servers' must be a list"), std::string::npos);
    }
    EXPECT_FALSE(parse_config("name = \"a.example\"\nice_servers = [\"ftp:a\"]", "the file", folder.path()));
}

TEST_F(IceFiles, NoneAreOfferedWhereNoneAreNamed) {
    const auto config = parse_config("name = \"a.example\"\n", "the file", folder.path());
    const auto offer = load_ice(*config);
    ASSERT_TRUE(offer);
    EXPECT_EQ(*offer, nullptr);
}

}  // namespace
}  // namespace sotto::keyserver::test
