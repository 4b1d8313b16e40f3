#include "stores.hpp"

namespace sotto::storage::test {
namespace {

using enum MessageState;

class MessagesTest : public StoreTest {
  protected:
    MessageState state_after(std::initializer_list<MessageState> states) {
        auto message = some_message(bob, ++number, Direction::outgoing);
        EXPECT_TRUE(must(store.add_message(message)));
        for (const auto state : states) must(store.set_message_state(message.id, state));
        return must(store.message(bob, Direction::outgoing, message.id))->state;
    }
    std::string texts(const std::vector<Message>& messages) {
        std::string all;
        for (const auto& message : messages) all += message.text.substr(message.text.size() - 1);
        return all;
    }
    std::int64_t bob = add("bob");
    std::uint32_t number = 100;
};

TEST_F(MessagesTest, ComeBackAsTheyWerePut) {
    auto put = some_message(bob, 1, Direction::outgoing);
    put.kind = 4'000'000'000U;
    put.text = std::string{"zero \0 and ünicode", 19};
    put.raw = Bytes(300, std::byte{9});
    put.sequence = 0xffff'ffff'ffff'ffffU;
    put.sent_at = -1;
    put.received_at = 0x7fff'ffff'ffff'ffff;
    put.late = true;
    put.shown = true;
    ASSERT_TRUE(must(store.add_message(put)));
    EXPECT_GT(put.row, 0);
    reopen();
    const auto got = must(store.message(bob, Direction::outgoing, put.id));
    ASSERT_TRUE(got);
    EXPECT_EQ(got->row, put.row);
    EXPECT_EQ(got->id, put.id);
    EXPECT_EQ(got->contact, put.contact);
    EXPECT_EQ(got->direction, put.direction);
    EXPECT_EQ(got->kind, put.kind);
    EXPECT_EQ(got->text, put.text);
    EXPECT_EQ(got->raw, put.raw);
    EXPECT_EQ(got->sequence, put.sequence);
    EXPECT_EQ(got->sent_at, put.sent_at);
    EXPECT_EQ(got->received_at, put.received_at);
    EXPECT_EQ(got->state, put.state);
    EXPECT_TRUE(got->late);
    EXPECT_TRUE(got->shown);
}

TEST_F(MessagesTest, AreKeptOnceForEachContactAndDirection) {
    auto message = some_message(bob, 1);
    ASSERT_TRUE(must(store.add_message(message)));
    auto again = some_message(bob, 1);
    again.text = "another text";
    EXPECT_FALSE(must(store.add_message(again)));
    EXPECT_EQ(again.row, 0);
    EXPECT_EQ(must(store.message(bob, Direction::incoming, message.id))->text, "message 1");
    auto ours = some_message(bob, 1, Direction::outgoing);
    EXPECT_TRUE(must(store.add_message(ours)));
    auto carols = some_message(add("carol"), 1);
    EXPECT_TRUE(must(store.add_message(carols)));
    EXPECT_FALSE(must(store.message(bob, Direction::incoming, numbered<16>(2))));
    auto nobodys = some_message(99, 1);
    EXPECT_EQ(code_of(store.add_message(nobodys)), Code::conflict);
}

TEST_F(MessagesTest, NeverGoBackwards) {
    EXPECT_EQ(state_after({}), queued);
    EXPECT_EQ(state_after({sent}), sent);
    EXPECT_EQ(state_after({stored}), stored);
    EXPECT_EQ(state_after({delivered}), delivered);
    EXPECT_EQ(state_after({sent, stored, delivered}), delivered);
    EXPECT_EQ(state_after({delivered, stored}), delivered);
    EXPECT_EQ(state_after({stored, sent}), stored);
    EXPECT_EQ(state_after({sent, queued}), sent);
    EXPECT_EQ(state_after({received}), queued);
}

TEST_F(MessagesTest, MayFailAndBeTriedAgain) {
    EXPECT_EQ(state_after({failed}), failed);
    EXPECT_EQ(state_after({stored, failed}), failed);
    EXPECT_EQ(state_after({delivered, failed}), delivered);
    EXPECT_EQ(state_after({failed, sent}), sent);
    EXPECT_EQ(state_after({failed, delivered}), delivered);
    EXPECT_EQ(state_after({failed, queued}), failed);
}

TEST_F(MessagesTest, ThatCameInHaveNoDelivery) {
    auto message = some_message(bob, 1);
    ASSERT_TRUE(must(store.add_message(message)));
    must(store.set_message_state(message.id, delivered));
    EXPECT_EQ(must(store.message(bob, Direction::incoming, message.id))->state, received);
    must(store.set_message_state(numbered<16>(9), delivered));
}

TEST_F(MessagesTest, HistoryIsTheNewestOnesOldestFirst) {
    const auto carol = add("carol");
    for (std::uint32_t i = 1; i <= 6; ++i) {
        auto message =
            some_message(i == 3 ? carol : bob, i, i % 2 == 0 ? Direction::outgoing : Direction::incoming);
        ASSERT_TRUE(must(store.add_message(message)));
    }
    EXPECT_EQ(texts(must(store.history(bob, "", -1))), "12456");
    EXPECT_EQ(texts(must(store.history(bob, "", 3))), "456");
    EXPECT_EQ(texts(must(store.history(bob, "", 0))), "");
    EXPECT_EQ(texts(must(store.history(carol, "", 10))), "3");
    EXPECT_EQ(texts(must(store.history(99, "", 10))), "");
}

TEST_F(MessagesTest, AreShownOnceInTheOrderOfTheirArrival) {
    for (const std::uint32_t i : {5U, 2U, 9U}) {
        auto message = some_message(bob, i);
        ASSERT_TRUE(must(store.add_message(message)));
    }
    auto ours = some_message(bob, 7, Direction::outgoing);
    ASSERT_TRUE(must(store.add_message(ours)));
    auto waiting = must(store.unshown(10));
    EXPECT_EQ(texts(waiting), "529");
    EXPECT_EQ(texts(must(store.unshown(2))), "52");
    must(store.mark_shown(waiting[1].row));
    EXPECT_EQ(texts(must(store.unshown(10))), "59");
    reopen();
    EXPECT_EQ(texts(must(store.unshown(-1))), "59");
    EXPECT_TRUE(must(store.message(bob, Direction::incoming, waiting[1].id))->shown);
}

TEST_F(MessagesTest, OtherContentsAreRememberedOnce) {
    EXPECT_TRUE(must(store.remember_content(bob, numbered<16>(1), 5)));
    EXPECT_FALSE(must(store.remember_content(bob, numbered<16>(1), 6)));
    EXPECT_TRUE(must(store.remember_content(add("carol"), numbered<16>(1), 5)));
    EXPECT_EQ(code_of(store.remember_content(99, numbered<16>(1), 5)), Code::conflict);
}

TEST_F(MessagesTest, OutOfShapeAreDamaged) {
    auto message = some_message(bob, 1);
    ASSERT_TRUE(must(store.add_message(message)));
    for (const auto* const change :
         {"id = x'00'", "direction = 2", "kind = -1", "state = 6", "late = 2", "shown = -1"}) {
        const Transaction undone{store.database()};
        tamper("UPDATE messages SET " + std::string{change});
        EXPECT_EQ(code_of(store.history(bob, "", 1)), Code::damaged) << change;
    }
    EXPECT_EQ(must(store.unshown(1)).size(), 1U);
}

}  // namespace
}  // namespace sotto::storage::test
