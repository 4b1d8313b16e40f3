// Two people verify each other by what the other one's screen shows.
#include <gtest/gtest.h>

#include "integration/world.hpp"

namespace sotto::test {
namespace {

using nlohmann::json;

json shown(const Person& person, const std::string& contact) {
    return json::parse(person.run({"--json", "verify", contact}).output);
}
json known(const Person& person, const std::string& contact) {
    return json::parse(person.run({"--json", "contact", "show", contact}).output);
}

TEST(Verification, TwoClientsCheckEachOtherByScanningOrPasting) {
    World world;
    const auto alices_screen = shown(world.alice(), "bob");
    const auto bobs_screen = shown(world.bob(), "alice");

    const auto scanned = world.bob().run({"verify", "alice", "--scan", alices_screen["qr"]});
    EXPECT_TRUE(scanned.exit.ok()) << scanned.errors;
    EXPECT_EQ(known(world.bob(), "alice")["verified_by"], "qr");
    EXPECT_EQ(known(world.alice(), "bob")["verified_by"], "link") << "Alice has not scanned yet";

    const auto piped =
        world.alice().run({"verify", "bob", "--scan", "-"}, bobs_screen["qr"].get<std::string>() + "\n");
    EXPECT_TRUE(piped.exit.ok()) << piped.errors;
    EXPECT_EQ(known(world.alice(), "bob")["verified_by"], "qr");

    // The printed number, with everything that stands around it left away.
    const auto printed = lines_of(world.alice().run({"verify", "bob"}).output);
    ASSERT_GE(printed.size(), 3U);
    const auto pasted = world.bob().run({"verify", "alice", "--scan", "-"},
                                        printed[0] + "\n" + printed[1] + "\n" + printed[2] + "\n");
    EXPECT_TRUE(pasted.exit.ok()) << pasted.errors;
    EXPECT_EQ(known(world.bob(), "alice")["verified_by"], "number");
}

TEST(Verification, AThirdPersonsNumberIsExitFour) {
    World world;
    Person carol(world.folder(), "carol");
    ASSERT_TRUE(carol.init(world.server()).exit.ok());
    World::acquaint(world.alice(), carol);
    const auto carols_screen = shown(carol, "alice");
    ASSERT_TRUE(world.bob().run({"verify", "alice", "--confirm"}).exit.ok());
    for (const auto* person : {&world.alice(), &world.bob()}) {
        const auto* other = person == &world.alice() ? "bob" : "alice";
        for (const auto* form : {"qr", "safety_number"}) {
            const auto refused = person->run({"verify", other, "--scan", carols_screen[form]});
            EXPECT_EQ(refused.exit.code, 4) << form;
            EXPECT_TRUE(is_one_sentence(refused.errors));
        }
        EXPECT_EQ(known(*person, other)["verified"], false);
    }
    // Nothing is lost by it: the right screen verifies again, and they still talk.
    EXPECT_TRUE(world.bob().run({"verify", "alice", "--scan", shown(world.alice(), "bob")["qr"]}).exit.ok());
    EXPECT_TRUE(world.bob().run({"send", "alice", "still here"}).exit.ok());
    EXPECT_EQ(texts(world.alice().run({"--json", "receive", "--timeout", "20"})),
              std::vector<std::string>{"still here"});
}

}  // namespace
}  // namespace sotto::test
