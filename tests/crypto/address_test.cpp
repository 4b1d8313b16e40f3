#include <gtest/gtest.h>

#include "sotto/crypto/record.hpp"

namespace sotto::crypto {
namespace {

TEST(Address, Parses) {
    for (const auto* const text :
         {"al@x", "alice@chat.example", "a0.b_c-d@127.0.0.1", "0x@localhost", "bob@[::1]",
          "bob@[2001:db8::1]", "abcdefghijklmnopqrstuvwxyz012345@example.org", "xn@xn--bcher-kva.example"}) {
        const auto address = Address::parse(text);
        ASSERT_TRUE(address.has_value()) << text;
        EXPECT_EQ(address->text(), text);
    }
}

TEST(Address, RefusesEverythingElse) {
    for (const std::string_view text : {"",
                                        "@",
                                        "alice",
                                        "alice@",
                                        "@server",
                                        "a@server",
                                        "Alice@server",
                                        "alice@Server",
                                        "-al@server",
                                        ".al@server",
                                        "al ice@server",
                                        "al\xc3\xa9@server",
                                        "alice@ser ver",
                                        "alice@server:7443",
                                        "alice@.server",
                                        "alice@server.",
                                        "alice@a..b",
                                        "alice@-a.b",
                                        "alice@a-.b",
                                        "alice@a_b",
                                        "alice@b@c",
                                        "abcdefghijklmnopqrstuvwxyz0123456@example.org",
                                        "alice@[::1",
                                        "alice@[]",
                                        "alice@[",
                                        "alice@[::0001]",
                                        "alice@[::A]",
                                        "alice@[fe80::1%eth0]",
                                        "alice@[127.0.0.1]",
                                        "alice@\xd0\xb0.example"})
        EXPECT_FALSE(Address::parse(text).has_value()) << text;
    EXPECT_FALSE(Address::parse(std::string_view{"alice@ser\0ver", 13}).has_value());
    EXPECT_FALSE(Address::parse(std::string_view{"alice@[::1\0]", 12}).has_value());
}

TEST(Address, LengthsAtTheirLimits) {
    EXPECT_TRUE(valid_user_name(std::string(32, 'a')));
    EXPECT_FALSE(valid_user_name(std::string(33, 'a')));
    EXPECT_TRUE(valid_user_name("ab"));
    EXPECT_FALSE(valid_user_name("a"));

    const std::string label(63, 'a');
    EXPECT_TRUE(valid_server_name(label));
    EXPECT_FALSE(valid_server_name(label + "a"));
    const auto longest = label + "." + label + "." + label + "." + std::string(61, 'a');
    EXPECT_EQ(longest.size(), 253U);
    EXPECT_TRUE(valid_server_name(longest));
    EXPECT_FALSE(valid_server_name(longest + "a"));
    EXPECT_EQ(Address::parse(std::string(32, 'a') + "@" + longest)->text().size(), max_address_size);
}

}  // namespace
}  // namespace sotto::crypto
