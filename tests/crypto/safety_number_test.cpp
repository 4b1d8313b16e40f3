#include "sotto/crypto/safety_number.hpp"

#include "numeric_fingerprint.hpp"
#include "people.hpp"

namespace sotto::crypto::test {
namespace {

// The published vector of Signal's numeric fingerprint, whose keys carry Signal's own type byte.
TEST(SafetyNumber, MatchesSignalsVector) {
    const auto alice_key =
        from_hex("0506863bc66d02b40d27b8d49ca7c09e9239236f9d7d25d6fcca5ce13c7064d868").value();
    const auto bob_key =
        from_hex("05f781b6fb32fed9ba1cf2de978d4d5da28dc34046ae814402b5c0dbd96fda907b").value();
    const auto a = numeric_fingerprint(alice_key, bytes_of("+14152222222"));
    const auto b = numeric_fingerprint(bob_key, bytes_of("+14153333333"));
    EXPECT_EQ(join_fingerprints(a, b), "300354477692869396892869876765458257569162576843440918079131");
    EXPECT_EQ(join_fingerprints(b, a), join_fingerprints(a, b));
}

TEST(SafetyNumber, IsTheSameOnBothSides) {
    const auto a = alice();
    const auto b = bob();
    const auto seen_by_a = safety_number(a.account.public_key(), a.record.body().address,
                                         b.account.public_key(), b.record.body().address);
    const auto seen_by_b = safety_number(b.account.public_key(), b.record.body().address,
                                         a.account.public_key(), a.record.body().address);
    EXPECT_EQ(seen_by_a, seen_by_b);
    EXPECT_EQ(seen_by_a.size(), safety_number_digits);
    EXPECT_EQ(seen_by_a.find_first_not_of("0123456789"), std::string::npos);
}

TEST(SafetyNumber, ChangesWithEitherKeyAndEitherName) {
    const auto a = alice();
    const auto b = bob();
    const Person other{"eve@chat.example", 3};
    const auto& names = std::pair{a.record.body().address, b.record.body().address};
    const auto number =
        safety_number(a.account.public_key(), names.first, b.account.public_key(), names.second);
    EXPECT_NE(number,
              safety_number(other.account.public_key(), names.first, b.account.public_key(), names.second));
    EXPECT_NE(number,
              safety_number(a.account.public_key(), names.first, other.account.public_key(), names.second));
    EXPECT_NE(number, safety_number(a.account.public_key(), other.record.body().address,
                                    b.account.public_key(), names.second));
}

TEST(SafetyNumber, IsReadAsAQrCodeOrAsDigitsWithBlanks) {
    const std::string number = "003544776928693968928698767654582575691625768434409180791319";
    ASSERT_EQ(number.size(), safety_number_digits);
    const auto qr = parse_safety_number(safety_number_qr(number) + "\n");
    ASSERT_TRUE(qr);
    EXPECT_TRUE(qr->qr);
    EXPECT_EQ(qr->digits, number);
    for (const auto& text : {number, number.substr(0, 5) + " " + number.substr(5),
                             "  " + number.substr(0, 20) + "\r\n" + number.substr(20, 20) + "\t\n" +
                                 number.substr(40) + "\n\n"}) {
        const auto digits = parse_safety_number(text);
        ASSERT_TRUE(digits) << text;
        EXPECT_FALSE(digits->qr);
        EXPECT_EQ(digits->digits, number);
    }
}

TEST(SafetyNumber, NothingElseIsReadAsOne) {
    const std::string number(safety_number_digits, '7');
    for (const auto& text :
         {std::string{}, std::string{" \n"}, number.substr(1), number + "7", number + "x", "-" + number,
          std::string{"SOTTO/1/NUMBER/"}, "SOTTO/1/NUMBER/" + number.substr(1),
          "SOTTO/1/NUMBER/" + number + "7",
          "SOTTO/1/NUMBER/" + number.substr(0, 30) + " " + number.substr(30), "sotto/1/number/" + number,
          "SOTTO/2/NUMBER/" + number, "SOTTO/1/NUMBER/SOTTO/1/NUMBER/" + number,
          number + std::string(1, '\0'), std::string(1'000'000, '7')})
        EXPECT_FALSE(parse_safety_number(text)) << text.substr(0, 100);
}

}  // namespace
}  // namespace sotto::crypto::test
