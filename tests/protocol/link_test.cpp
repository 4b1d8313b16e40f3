#include "sotto/protocol/link.hpp"

#include <gtest/gtest.h>

#include "sotto/crypto/codec.hpp"
#include "sotto/protocol/limits.hpp"

namespace sotto::protocol {
namespace {

Array<32> filled(unsigned value) {
    Array<32> out;
    out.fill(static_cast<std::byte>(value));
    return out;
}

const std::string pin = crypto::to_base64url(filled(1));
const std::string secret = crypto::to_base64url(filled(2));
const std::string fingerprint = crypto::to_base64url(filled(3));

TEST(ServerLink, CarriesHostPortAndPin) {
    const auto parsed = parse_server_link("sotto://chat.example:9000/#" + pin);
    ASSERT_TRUE(parsed) << parsed.error();
    EXPECT_EQ(parsed->host, "chat.example");
    EXPECT_EQ(parsed->port, 9000);
    EXPECT_EQ(parsed->pin, filled(1));
}

TEST(ServerLink, HasDefaults) {
    for (const auto* text : {"sotto://chat.example", "sotto://chat.example/", "sotto://CHAT.example:7443/"}) {
        const auto parsed = parse_server_link(text);
        ASSERT_TRUE(parsed) << text << ": " << parsed.error();
        EXPECT_EQ(*parsed, (Endpoint{.host = "chat.example", .port = default_port, .pin = std::nullopt}));
    }
}

TEST(ServerLink, KnowsAddressesOfBothFamilies) {
    const auto four = parse_server_link("sotto://127.0.0.1:7443/");
    ASSERT_TRUE(four);
    EXPECT_EQ(four->host, "127.0.0.1");
    const auto six = parse_server_link("sotto://[2001:DB8::1]:80/#" + pin);
    ASSERT_TRUE(six);
    EXPECT_EQ(six->host, "2001:db8::1");
    EXPECT_EQ(six->port, 80);
}

TEST(ServerLink, IsTheSameAfterFormatting) {
    for (const auto& endpoint : {Endpoint{.host = "a.example", .port = 1, .pin = filled(9)},
                                 Endpoint{.host = "::1", .port = 65535, .pin = std::nullopt},
                                 Endpoint{.host = "10.0.0.1", .port = 7443, .pin = filled(0xff)}}) {
        const auto parsed = parse_server_link(format_server_link(endpoint));
        ASSERT_TRUE(parsed) << parsed.error();
        EXPECT_EQ(*parsed, endpoint);
    }
}

TEST(ServerLink, RefusesWhatIsOutOfShapeWithOneSentence) {
    for (const auto& text : std::vector<std::string>{
             "",
             "sotto:/",
             "https://chat.example/",
             "SOTTO://chat.example/",
             "sotto://",
             "sotto:///",
             "sotto://#" + pin,
             "sotto://chat.example:/",
             "sotto://chat.example:0/",
             "sotto://chat.example:0443/",
             "sotto://chat.example:65536/",
             "sotto://chat.example:7443x/",
             "sotto://chat.example:-1/",
             "sotto://chat..example/",
             "sotto://.example/",
             "sotto://-chat.example/",
             "sotto://chat_.example/",
             "sotto://us\xc3\xa9r.example/",
             "sotto://chat.example /",
             "sotto://chat.example/\n",
             "sotto://user@chat.example/",
             "sotto://[::1/",
             "sotto://[::1]x/",
             "sotto://[fe80::1%eth0]/",
             "sotto://[127.0.0.1]/",
             "sotto://::1/",
             "sotto://chat.example/#",
             "sotto://chat.example/#" + pin.substr(1),
             "sotto://chat.example/#" + pin + "A",
             "sotto://chat.example/#" + pin + "=",
             "sotto://chat.example/#" + pin.substr(0, 42) + "F",  // bits set behind the last byte
             "sotto://chat.example/path#" + pin,
             "sotto://chat.example/bob@chat.example#" + pin + "." + secret + "." + fingerprint,
             "sotto://" + std::string(2000, 'a') + "/",
             "sotto://" + std::string(300, 'a') + "/",
         }) {
        const auto parsed = parse_server_link(text);
        EXPECT_FALSE(parsed) << text;
        if (!parsed) {
            EXPECT_TRUE(parsed.error().ends_with('.')) << parsed.error();
            EXPECT_EQ(parsed.error().find('\n'), std::string::npos);
        }
    }
}

TEST(ContactLink, CarriesEverythingAJoinerNeeds) {
    const auto parsed = parse_contact_link("sotto://10.0.0.1:7443/bob@chat.example#" + pin + "." + secret +
                                           "." + fingerprint);
    ASSERT_TRUE(parsed) << parsed.error();
    EXPECT_EQ(parsed->endpoint, (Endpoint{.host = "10.0.0.1", .port = 7443, .pin = filled(1)}));
    EXPECT_EQ(parsed->address.text(), "bob@chat.example");
    EXPECT_TRUE(crypto::equal_constant_time(parsed->secret.expose(), filled(2)));
    EXPECT_EQ(parsed->fingerprint, filled(3));
}

TEST(ContactLink, NeedsNoPinForAWebPkiServer) {
    const auto parsed =
        parse_contact_link("sotto://chat.example/bob@chat.example#." + secret + "." + fingerprint);
    ASSERT_TRUE(parsed) << parsed.error();
    EXPECT_FALSE(parsed->endpoint.pin);
    EXPECT_EQ(parsed->endpoint.port, default_port);
}

TEST(ContactLink, IsTheSameAfterFormatting) {
    for (const auto& used : {std::optional<Pin>{}, std::optional<Pin>{filled(7)}}) {
        const ContactLink link{.endpoint = {.host = "::1", .port = 7000, .pin = used},
                               .address = crypto::Address{.user = "bob", .server = "chat.example"},
                               .secret = crypto::InviteSecret{FixedView<32>{filled(8)}},
                               .fingerprint = filled(9)};
        const auto text = format_contact_link(link);
        EXPECT_TRUE(looks_like_link(text));
        const auto parsed = parse_contact_link(text);
        ASSERT_TRUE(parsed) << parsed.error();
        EXPECT_EQ(parsed->endpoint, link.endpoint);
        EXPECT_EQ(parsed->address, link.address);
        EXPECT_TRUE(crypto::equal_constant_time(parsed->secret.expose(), link.secret.expose()));
        EXPECT_EQ(parsed->fingerprint, link.fingerprint);
    }
}

TEST(ContactLink, RefusesWhatIsOutOfShapeWithOneSentence) {
    const std::string good =
        "sotto://chat.example/bob@chat.example#" + pin + "." + secret + "." + fingerprint;
    ASSERT_TRUE(parse_contact_link(good));
    std::vector<std::string> bad{
        "sotto://chat.example/#" + pin,
        "sotto://chat.example/bob#" + pin + "." + secret + "." + fingerprint,
        "sotto://chat.example/Bob@chat.example#" + pin + "." + secret + "." + fingerprint,
        "sotto://chat.example/bob@chat.example",
        "sotto://chat.example/bob@chat.example#",
        "sotto://chat.example/bob@chat.example#" + secret + "." + fingerprint,
        "sotto://chat.example/bob@chat.example#" + pin + ".." + fingerprint,
        good + ".",
        good + "#",
        good + "A",
        good + " ",
    };
    for (std::size_t cut = 0; cut < good.size(); ++cut) bad.push_back(good.substr(0, cut));
    for (const auto& text : bad) {
        const auto parsed = parse_contact_link(text);
        EXPECT_FALSE(parsed) << text;
        if (!parsed) {
            EXPECT_TRUE(parsed.error().ends_with('.')) << parsed.error();
        }
    }
}

TEST(ContactLink, ErrorsNeverRepeatTheSecret) {
    const auto parsed =
        parse_contact_link("sotto://chat.example/bob@chat.example#" + pin + "." + secret + ".x");
    ASSERT_FALSE(parsed);
    EXPECT_EQ(parsed.error().find(secret), std::string::npos);
}

}  // namespace
}  // namespace sotto::protocol
