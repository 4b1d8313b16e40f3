// verify: numbers that were scanned or typed, and the decision about another key.
#include "cli/home.hpp"

namespace sotto::test {
namespace {

using storage::Direction;

nlohmann::json bob_of(const Home& home) {
    return home.json({"contact", "show", "bob"}).at(0);
}

/// The last line of the conversation.
nlohmann::json last_line(const Home& home) {
    return home.json({"history", "bob"}).back();
}

TEST(VerifyScan, TakesTheTextOfAQrCodeOrTheDigits) {
    const Home home;
    const auto shown = home.json({"verify", "bob"}).at(0);
    const auto qr = shown["qr"].get<std::string>();
    const auto number = shown["safety_number"].get<std::string>();
    ASSERT_TRUE(qr.starts_with("SOTTO/1/NUMBER/"));
    ASSERT_EQ(qr.size(), 15U + 60U);

    const auto scanned = home.run({"verify", "bob", "--scan", qr});
    EXPECT_EQ(scanned.exit.code, 0) << scanned.errors;
    EXPECT_EQ(lines_of(scanned.output).size(), 1U);
    EXPECT_NE(scanned.output.find("verified by qr"), std::string::npos) << scanned.output;
    EXPECT_EQ(bob_of(home)["verified_by"], "qr");
    EXPECT_EQ(home.json({"verify", "bob", "--scan", number}).at(0)["verified_by"], "number");

    EXPECT_EQ(home.run({"verify", "bob", "--scan", "-"}, qr + "\n").exit.code, 0);
    EXPECT_EQ(bob_of(home)["verified_by"], "qr");
    // As `verify` prints it: three lines, and no line feed at the end.
    const auto pasted = number.substr(0, 23) + "\n" + number.substr(24, 23) + "\n" + number.substr(48);
    EXPECT_EQ(home.run({"verify", "bob", "--scan", "-"}, pasted).exit.code, 0);
    EXPECT_EQ(bob_of(home)["verified_by"], "number");
}

TEST(VerifyScan, RefusesWhatIsNoNumberAndChangesNothing) {
    const Home home;
    for (const auto& text :
         {std::string{"12345"}, std::string(61, '1'), std::string{"hello"},
          "SOTTO/1/NUMBER/" + std::string(59, '1'), "sotto://x/#y" + std::string(60, '1')}) {
        const auto refused = home.run({"verify", "bob", "--scan", text});
        EXPECT_EQ(refused.exit.code, 1) << text;
        EXPECT_TRUE(one_sentence(refused, "safety number"));
        const auto piped = home.run({"verify", "bob", "--scan", "-"}, text + "\n");
        EXPECT_EQ(piped.exit.code, 1) << text;
    }
    EXPECT_EQ(home.run({"verify", "bob", "--scan", "-"}, "").exit.code, 1);
    EXPECT_EQ(home.run({"verify", "bob", "--scan", "-"}, std::string(100'000, ' ')).exit.code, 1);
    for (const auto& words :
         std::vector<std::vector<std::string>>{{"verify", "bob", "--confirm", "--scan", std::string(60, '1')},
                                               {"verify", "bob", "--accept-new-key", "--reject-new-key"},
                                               {"verify", "bob", "--reject-new-key", "--confirm"}})
        EXPECT_EQ(home.run(words).exit.code, 1);
    EXPECT_EQ(bob_of(home)["verified_by"], "link");
}

TEST(VerifyScan, OfAnotherNumberIsExitCode4AndNotVerified) {
    const Home home;
    ASSERT_EQ(home.run({"verify", "bob", "--confirm"}).exit.code, 0);
    const auto differs = home.run({"verify", "bob", "--scan", "SOTTO/1/NUMBER/" + std::string(60, '1')});
    EXPECT_EQ(differs.exit.code, 4);
    EXPECT_TRUE(one_sentence(differs, "bob"));
    EXPECT_EQ(differs.output, "");
    EXPECT_EQ(bob_of(home)["verified"], false);
    EXPECT_EQ(bob_of(home)["state"], "confirmed");
}

TEST(VerifyQr, IsDrawnWhereTheOutputIsNoTerminalIfAskedFor) {
    const Home home;
    EXPECT_EQ(home.run({"verify", "bob"}).output.find("█"), std::string::npos);
    EXPECT_NE(home.run({"verify", "bob", "--qr"}).output.find("█"), std::string::npos);
}

TEST(VerifyChanged, ShowsBothNumbersAndIsExitCode4) {
    Home home;
    const auto old_number = home.json({"verify", "bob"}).at(0)["safety_number"].get<std::string>();
    home.show_another_key_of_bob();
    const auto shown = home.json({"verify", "bob"}, 4).at(0);
    EXPECT_EQ(shown["safety_number"], old_number);
    EXPECT_EQ(shown["qr"], nullptr) << "the old number is not handed on";
    EXPECT_EQ(shown["verified"], false);
    EXPECT_EQ(shown["contact_state"], "changed");
    const auto new_number = shown["new_safety_number"].get<std::string>();
    EXPECT_NE(new_number, old_number);
    EXPECT_EQ(new_number.size(), 71U);

    const auto printed = home.run({"verify", "bob"});
    EXPECT_EQ(printed.exit.code, 4);
    EXPECT_TRUE(one_sentence(printed, "--reject-new-key"));
    EXPECT_LT(printed.output.find("NO LONGER VALID"), printed.output.find(old_number.substr(0, 23)));
    // One half of both numbers is our own, and may come first: only the whole tells them apart.
    const auto digits = [](std::string text) {
        std::erase_if(text, [](char c) { return c < '0' || c > '9'; });
        return text;
    };
    const auto said = digits(printed.output);
    ASSERT_NE(said.find(digits(new_number)), std::string::npos);
    EXPECT_LT(said.find(digits(old_number)), said.find(digits(new_number)));
    const auto send = home.run({"send", "bob", "hello"});
    EXPECT_EQ(send.exit.code, 4);
    EXPECT_TRUE(one_sentence(send, "--accept-new-key"));
}

TEST(VerifyChanged, AScanAloneDecidesNothing) {
    Home home;
    const auto old_qr = home.json({"verify", "bob"}).at(0)["qr"].get<std::string>();
    home.show_another_key_of_bob();
    const auto new_qr = home.json({"verify", "bob"}, 4).at(0)["new_qr"].get<std::string>();
    EXPECT_TRUE(one_sentence(home.run({"verify", "bob", "--scan", new_qr}), "--accept-new-key --scan"));
    EXPECT_TRUE(one_sentence(home.run({"verify", "bob", "--scan", old_qr}), "--reject-new-key"));
    for (const auto& words : std::vector<std::vector<std::string>>{
             {"verify", "bob", "--scan", new_qr},
             {"verify", "bob", "--scan", old_qr},
             {"verify", "bob", "--confirm"},
             {"verify", "bob", "--accept-new-key", "--scan", old_qr},
             {"verify", "bob", "--accept-new-key", "--scan", std::string(60, '1')}}) {
        EXPECT_EQ(home.run(words).exit.code, 4);
        EXPECT_EQ(bob_of(home)["state"], "changed");
    }
}

TEST(VerifyChanged, AcceptingWithTheScannedNumberVerifies) {
    Home home;
    home.show_another_key_of_bob();
    const auto shown = home.json({"verify", "bob"}, 4).at(0);
    const auto new_qr = shown["new_qr"].get<std::string>();
    const auto accepted = home.json({"verify", "bob", "--accept-new-key", "--scan", new_qr}).at(0);
    EXPECT_EQ(accepted["verified_by"], "qr");
    EXPECT_EQ(accepted["qr"], new_qr);
    EXPECT_EQ(accepted["safety_number"], shown["new_safety_number"]);
    EXPECT_EQ(home.run({"send", "bob", "hello"}).exit.code, 3) << "it waits for the server";
}

TEST(VerifyChanged, AcceptingWithoutComparingSaysThatTheyAreNotVerified) {
    Home home;
    ASSERT_EQ(home.run({"send", "bob", "waits"}).exit.code, 3);
    home.show_another_key_of_bob();
    const auto accepted = home.run({"verify", "bob", "--accept-new-key"});
    EXPECT_EQ(accepted.exit.code, 0) << accepted.errors;
    EXPECT_NE(accepted.output.find("NOT VERIFIED"), std::string::npos) << accepted.output;
    EXPECT_NE(accepted.output.find("1 message not acknowledged"), std::string::npos) << accepted.output;
    EXPECT_EQ(bob_of(home)["verified"], false);
    EXPECT_EQ(bob_of(home)["state"], "confirmed");
    const auto line = last_line(home);
    EXPECT_EQ(line["kind"], "notice");
    EXPECT_EQ(line["direction"], "local");
    EXPECT_NE(line["text"].get<std::string>().find("not verified"), std::string::npos);
    EXPECT_EQ(home.run({"verify", "bob", "--accept-new-key"}).exit.code, 1) << "there is nothing to decide";
    EXPECT_EQ(home.run({"verify", "bob", "--reject-new-key"}).exit.code, 1);
}

TEST(VerifyChanged, RejectingKeepsTheOldNumber) {
    Home home;
    const auto before = home.json({"verify", "bob"}).at(0);
    home.show_another_key_of_bob();
    const auto rejected = home.run({"verify", "bob", "--reject-new-key"});
    EXPECT_EQ(rejected.exit.code, 0) << rejected.errors;
    EXPECT_NE(rejected.output.find("refused"), std::string::npos);
    const auto after = home.json({"verify", "bob"}).at(0);
    EXPECT_EQ(after["safety_number"], before["safety_number"]);
    EXPECT_EQ(after["contact_state"], "confirmed");
    EXPECT_EQ(last_line(home)["kind"], "notice");
    EXPECT_EQ(home.run({"send", "bob", "hello"}).exit.code, 3);
}

TEST(Notice, IsPrintedOnceAndNotAsWhatTheContactSaid) {
    Home home;
    const std::string text = "Another key appeared for bob@localhost on 2023-11-14 (UTC).";
    home.add_message(Direction::incoming, text, 1'700'000'000'000, false, storage::kind_notice);
    home.add_message(Direction::incoming, "I said this", 1'700'000'000'000);
    home.change_bob([](storage::Contact& bob) { bob.state = storage::ContactState::changed; });
    const auto lines = home.json({"receive", "--count", "2"});
    ASSERT_EQ(lines.size(), 2U);
    EXPECT_EQ(lines[0]["kind"], "notice");
    EXPECT_EQ(lines[0]["from"], nullptr);
    EXPECT_EQ(lines[0]["contact"], "bob");
    EXPECT_EQ(lines[0]["text"], text);
    EXPECT_EQ(lines[1]["kind"], "text");
    EXPECT_EQ(lines[1]["verified"], false);
    EXPECT_EQ(lines[1]["contact_state"], "changed");
    const auto printed = lines_of(home.run({"history", "bob"}).output);
    ASSERT_EQ(printed.size(), 2U);
    EXPECT_TRUE(printed[0].ends_with("  -- bob: " + text)) << printed[0];
    EXPECT_TRUE(printed[1].ends_with("  bob (KEY CHANGED): I said this")) << printed[1];
}

}  // namespace
}  // namespace sotto::test
