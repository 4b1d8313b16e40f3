// Two people become contacts by a link and talk.
#include "client/pair.hpp"

namespace sotto::client::test {
namespace {

using storage::MessageState;
using storage::Verified;

TEST(FirstContact, ALinkMakesTwoConfirmedContactsVerifiedByIt) {
    Pair pair;
    pair.befriend();
    EXPECT_EQ(pair.alice.contact("bob")->verified, Verified::link);
    EXPECT_EQ(pair.bob.contact("alice")->verified, Verified::link);
    EXPECT_TRUE(pair.alice.warnings().empty());
    EXPECT_TRUE(pair.bob.warnings().empty());
}

TEST(FirstContact, MessagesGoBothWaysAndAreAcknowledged) {
    Pair pair;
    pair.befriend();
    const auto hello = pair.bob.send("alice", "hello");
    const auto hi = pair.alice.send("bob", "hi");
    ASSERT_TRUE(pair.world.run([&] {
        return pair.bob.state_of("alice", hello) == MessageState::delivered &&
               pair.alice.state_of("bob", hi) == MessageState::delivered;
    }));
    EXPECT_EQ(pair.alice.heard("bob"), std::vector<std::string>{"hello"});
    EXPECT_EQ(pair.bob.heard("alice"), std::vector<std::string>{"hi"});
    EXPECT_TRUE(pair.world.settle());
    EXPECT_EQ(pair.server.mail_waiting(), 0);
}

}  // namespace
}  // namespace sotto::client::test
