#include "people.hpp"

namespace sotto::crypto::test {
namespace {

TEST(Ratchet, ConversationsGoBackAndForth) {
    Conversation c;
    for (int i = 0; i < 20; ++i) {
        const auto question = "question " + std::to_string(i);
        const auto reply = "reply " + std::to_string(i);
        EXPECT_EQ(c.bob_end.open(c.alice_end.seal(question)).value(), question);
        EXPECT_FALSE(c.bob_end.late);
        EXPECT_EQ(c.alice_end.open(c.bob_end.seal(reply)).value(), reply);
    }
}

}  // namespace
}  // namespace sotto::crypto::test
