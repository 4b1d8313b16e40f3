#include "stores.hpp"

namespace sotto::storage::test {
namespace {

class OutboxTest : public StoreTest {
  protected:
    OutboxItem queue(std::uint32_t number) {
        auto item = some_item(bob, number);
        item.content.resize(number);
        must(store.queue(item));
        return item;
    }
    std::vector<std::size_t> pending(int limit = -1) {
        std::vector<std::size_t> sizes;
        for (const auto& item : must(store.outbox_pending(limit))) sizes.push_back(item.content.size());
        return sizes;
    }
    std::int64_t bob = add("bob");
};

TEST_F(OutboxTest, KeepsItemsAsTheyArePut) {
    const OutboxItem item{.id = numbered<16>(1),
                          .contact = bob,
                          .content = Bytes(70'000, std::byte{3}),
                          .needs_acknowledgement = false,
                          .queued_at = 12,
                          .envelope_id = numbered<16>(2),
                          .envelope = Bytes(80'000, std::byte{4}),
                          .device = 9,
                          .accepted = true,
                          .accepted_at = 1'800'000'000'003,
                          .pushed = true};
    must(store.queue(item));
    reopen();
    const auto got = must(store.outbox_item(bob, item.id));
    ASSERT_TRUE(got);
    EXPECT_EQ(got->id, item.id);
    EXPECT_EQ(got->contact, item.contact);
    EXPECT_EQ(got->content, item.content);
    EXPECT_EQ(got->needs_acknowledgement, item.needs_acknowledgement);
    EXPECT_EQ(got->queued_at, item.queued_at);
    EXPECT_EQ(got->envelope_id, item.envelope_id);
    EXPECT_EQ(got->envelope, item.envelope);
    EXPECT_EQ(got->device, item.device);
    EXPECT_EQ(got->accepted, item.accepted);
    EXPECT_EQ(got->accepted_at, item.accepted_at);
    EXPECT_EQ(got->pushed, item.pushed);
    EXPECT_EQ(code_of(store.queue(item)), Code::conflict);
    EXPECT_FALSE(must(store.outbox_item(bob, numbered<16>(3))));
}

TEST_F(OutboxTest, HandsOutWhatIsNotAcceptedInTheOrderOfQueueing) {
    for (const std::uint32_t number : {3U, 1U, 2U}) queue(number);
    EXPECT_EQ(pending(), (std::vector<std::size_t>{3, 1, 2}));
    EXPECT_EQ(pending(2), (std::vector<std::size_t>{3, 1}));
    EXPECT_EQ(must(store.outbox_size()), 3);
    auto item = must(store.outbox_item(bob, numbered<16>(3))).value();
    item.envelope_id = numbered<16>(50);
    item.envelope = Bytes(500);
    must(store.update_outbox(item));
    EXPECT_EQ(pending(), (std::vector<std::size_t>{3, 1, 2}));
    item.accepted = true;
    must(store.update_outbox(item));
    EXPECT_EQ(pending(), (std::vector<std::size_t>{1, 2}));
    EXPECT_EQ(must(store.outbox_size()), 2);
    EXPECT_EQ(must(store.outbox_item(bob, item.id))->envelope.size(), 500U);
    item.accepted = false;  // to be sent again
    must(store.update_outbox(item));
    EXPECT_EQ(pending(), (std::vector<std::size_t>{3, 1, 2}));
}

TEST_F(OutboxTest, HandsOutAllOfOneContactWhetherAcceptedOrNot) {
    const auto carol = add("carol");
    for (const std::uint32_t number : {3U, 1U, 2U}) queue(number);
    must(store.queue(some_item(carol, 4)));
    auto item = must(store.outbox_item(bob, numbered<16>(1))).value();
    item.accepted = true;
    must(store.update_outbox(item));
    std::vector<std::size_t> sizes;
    const auto items = must(store.outbox_of(bob));
    for (const auto& one : items) sizes.push_back(one.content.size());
    EXPECT_EQ(sizes, (std::vector<std::size_t>{3, 1, 2}));
    EXPECT_EQ(must(store.outbox_of(carol)).size(), 1U);
    EXPECT_TRUE(must(store.outbox_of(carol + 1)).empty());
}

TEST_F(OutboxTest, LetsItemsGo) {
    const auto item = queue(1);
    must(store.remove_outbox(bob, item.id));
    EXPECT_EQ(must(store.outbox_size()), 0);
    must(store.update_outbox(item));
    EXPECT_EQ(must(store.outbox_size()), 0);
    must(store.remove_outbox(bob, item.id));
}

TEST_F(OutboxTest, ItemsOutOfShapeAreDamaged) {
    queue(1);
    for (const auto* const change :
         {"id = x''", "needs_acknowledgement = 2", "envelope_id = x'00'", "device = -5", "accepted = 3"}) {
        const Transaction undone{store.database()};
        tamper("UPDATE outbox SET " + std::string{change});
        EXPECT_TRUE(std::string_view{change} == "accepted = 3" ||
                    code_of(store.outbox_pending(-1)) == Code::damaged)
            << change;
    }
    tamper("UPDATE outbox SET accepted = 3");
    EXPECT_EQ(code_of(store.outbox_item(bob, numbered<16>(1))), Code::damaged);
}

TEST_F(OutboxTest, AcknowledgementsAreOwedOnceAndInOrder) {
    for (const std::uint32_t number : {5U, 4U, 5U, 6U})
        must(store.owe_acknowledgement(bob, numbered<16>(number)));
    EXPECT_EQ(must(store.owed_acknowledgements(bob, -1)),
              (std::vector{numbered<16>(5), numbered<16>(4), numbered<16>(6)}));
    EXPECT_EQ(must(store.owed_acknowledgements(bob, 1)), std::vector{numbered<16>(5)});
    EXPECT_EQ(must(store.contacts_owed()), std::vector{bob});
    for (const std::uint32_t number : {4U, 5U, 6U, 7U}) must(store.clear_owed(bob, numbered<16>(number)));
    EXPECT_TRUE(must(store.owed_acknowledgements(bob, -1)).empty());
    EXPECT_TRUE(must(store.contacts_owed()).empty());
    must(store.owe_acknowledgement(bob, numbered<16>(1)));
    tamper("UPDATE owed SET id = x'00'");
    EXPECT_EQ(code_of(store.owed_acknowledgements(bob, -1)), Code::damaged);
}

class OverdueTest : public OutboxTest {
  protected:
    /// Taken by a server at `when`, and `pushed` to the device as it said.
    void accept(std::uint32_t number, std::int64_t when, bool pushed) {
        auto item = must(store.outbox_item(bob, numbered<16>(number))).value();
        item.envelope_id = numbered<16>(number + 100);
        item.accepted = true;
        item.accepted_at = when;
        item.pushed = pushed;
        must(store.update_outbox(item));
    }
    void heard(std::int64_t when) {
        auto contact = must(store.contact(bob)).value();
        contact.heard_at = when;
        must(store.update_contact(contact));
    }
    bool overdue(std::int64_t since) { return !must(store.contacts_overdue(since)).empty(); }
};

TEST_F(OverdueTest, IsWhatTheServerSaidItHadDelivered) {
    queue(1);
    EXPECT_FALSE(overdue(10'000));  // no server has it
    accept(1, 1000, true);
    EXPECT_FALSE(overdue(999));
    EXPECT_EQ(must(store.contacts_overdue(1000)), std::vector<std::int64_t>{bob});
    must(store.remove_outbox(bob, numbered<16>(1)));
    EXPECT_FALSE(overdue(1000));
}

TEST_F(OverdueTest, IsWhatWasStoredBeforeTheContactWasHeard) {
    queue(1);
    accept(1, 1000, false);
    EXPECT_FALSE(overdue(10'000));
    heard(1000);
    EXPECT_FALSE(overdue(10'000));
    heard(1001);
    EXPECT_FALSE(overdue(1000));
    EXPECT_TRUE(overdue(1001));
}

TEST_F(OverdueTest, IsNothingThatNeedsNoAcknowledgement) {
    auto item = some_item(bob, 1);
    item.needs_acknowledgement = false;
    must(store.queue(item));
    accept(1, 1000, true);
    EXPECT_FALSE(overdue(10'000));
}

TEST_F(OverdueTest, LeavesAgainInItsOrderOnceReopened) {
    const auto carol = add("carol");
    must(store.queue(some_item(carol, 9)));
    for (const std::uint32_t number : {1U, 2U, 3U}) queue(number);
    accept(2, 1000, true);
    accept(1, 1000, false);
    EXPECT_EQ(must(store.outbox_ids(bob)), std::vector<MessageId>{numbered<16>(3)});
    EXPECT_TRUE(must(store.reopen_outbox(bob)));
    EXPECT_EQ(must(store.outbox_ids(bob)),
              (std::vector<MessageId>{numbered<16>(1), numbered<16>(2), numbered<16>(3)}));
    const auto item = must(store.outbox_item(bob, numbered<16>(2))).value();
    EXPECT_FALSE(item.accepted);
    EXPECT_FALSE(item.pushed);
    EXPECT_FALSE(item.envelope_id);
    EXPECT_EQ(item.accepted_at, 0);
    EXPECT_EQ(item.content.size(), 2U);
    EXPECT_FALSE(must(store.reopen_outbox(add("dave"))));
    EXPECT_EQ(must(store.outbox_ids(carol)).size(), 1U);
}

}  // namespace
}  // namespace sotto::storage::test
