// Alice blocks Carol: with real processes, over TLS.
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>

#include "integration/world.hpp"

namespace sotto::test {
namespace {

using Words = std::vector<std::string>;

/// Alice and Bob with Carol, who is a contact of Alice's.
struct Three : World {
    Three() : carol(folder(), "carol") {
        const auto made = carol.init(server());
        if (!made.exit.ok()) throw std::runtime_error("init: " + made.errors);
        acquaint(alice(), carol);
    }
    Person carol;
};

TEST(Blocked, GetsNothingThroughWhileTheOthersGoOn) {
    Three three;
    ASSERT_TRUE(three.carol.run({"send", "alice", "in the mailbox"}).exit.ok());
    const auto blocked = three.alice().run({"contact", "block", "carol"});
    EXPECT_EQ(blocked.exit.code, 0) << blocked.errors;
    EXPECT_NE(blocked.output.find(") is blocked."), std::string::npos);

    const auto refused = three.carol.run({"send", "alice", "one more", "--timeout", "5"});
    EXPECT_EQ(refused.exit.code, 3);
    EXPECT_NE(refused.errors.find("refuses our messages"), std::string::npos) << refused.errors;
    EXPECT_EQ(three.alice().run({"send", "carol", "no"}).exit.code, 1);

    // Bob has the new token as soon as he has looked, and until then the recovery token carries what he says.
    EXPECT_TRUE(three.bob().run({"send", "alice", "without looking"}).exit.ok());
    ASSERT_TRUE(three.bob().run({"receive"}).exit.ok());
    EXPECT_TRUE(three.bob().run({"send", "alice", std::string(20'000, 'x')}).exit.ok());
    EXPECT_EQ(texts(three.alice().run({"--json", "receive", "--timeout", "20", "--count", "2"})),
              (Words{"without looking", std::string(20'000, 'x')}));
    EXPECT_TRUE(texts(three.alice().run({"--json", "receive"})).empty());
    EXPECT_TRUE(texts(three.alice().run({"--json", "history", "carol"})).empty());

    const auto unblocked = three.alice().run({"contact", "unblock", "carol"});
    EXPECT_EQ(unblocked.exit.code, 0) << unblocked.errors;
    ASSERT_TRUE(three.alice().run({"send", "carol", "come back"}).exit.ok());
    EXPECT_EQ(texts(three.carol.run({"--json", "receive", "--timeout", "20"})), Words{"come back"});
    const auto again = texts(three.alice().run({"--json", "receive", "--timeout", "20"}));
    EXPECT_NE(std::ranges::find(again, "one more"), again.end());
}

TEST(Blocked, WhoIsRemovedGetsNothingThroughEither) {
    Three three;
    const auto removed = three.alice().run({"contact", "remove", "carol"});
    EXPECT_EQ(removed.exit.code, 0) << removed.errors;
    EXPECT_EQ(three.carol.run({"send", "alice", "hello?", "--timeout", "5"}).exit.code, 3);
    EXPECT_TRUE(three.bob().run({"send", "alice", "hello"}).exit.ok());
    EXPECT_EQ(texts(three.alice().run({"--json", "receive", "--timeout", "20"})), Words{"hello"});
}

TEST(Blocked, TwoWhoBlockedAThirdWhileTheServerWasAwayFindEachOther) {
    Three three;
    World::acquaint(three.bob(), three.carol);
    EXPECT_EQ(three.server().stop(), 0);
    for (const auto* person : {&three.alice(), &three.bob()}) {
        const auto blocked = person->run({"contact", "block", "carol"});
        EXPECT_EQ(blocked.exit.code, 3);
        EXPECT_TRUE(is_one_sentence(blocked.errors));
    }
    const std::string large(30'000, 'l');
    EXPECT_EQ(three.alice().run({"send", "bob", large}).exit.code, 3);
    EXPECT_EQ(three.bob().run({"send", "alice", large}).exit.code, 3);
    three.server().start();
    Process alice(three.alice().command({"--json", "receive", "--follow"}));
    Process bob(three.bob().command({"--json", "receive", "--follow"}));
    EXPECT_TRUE(alice.wait_for(large, std::chrono::seconds{60})) << alice.errors();
    EXPECT_TRUE(bob.wait_for(large, std::chrono::seconds{60})) << bob.errors();
    EXPECT_EQ(three.carol.run({"send", "alice", "and I?", "--timeout", "5"}).exit.code, 3);
    EXPECT_EQ(three.carol.run({"send", "bob", "and I?", "--timeout", "5"}).exit.code, 3);
    for (auto* process : {&alice, &bob}) {
        process->kill(SIGTERM);
        EXPECT_TRUE(process->wait(std::chrono::seconds{20}));
    }
}

}  // namespace
}  // namespace sotto::test
