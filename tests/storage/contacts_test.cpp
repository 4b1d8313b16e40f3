#include "stores.hpp"

namespace sotto::storage::test {
namespace {

using ContactsTest = StoreTest;

void expect_same(const Contact& a, const Contact& b) {
    EXPECT_EQ(a.id, b.id);
    EXPECT_EQ(a.name, b.name);
    EXPECT_EQ(a.address, b.address);
    EXPECT_EQ(a.server_host, b.server_host);
    EXPECT_EQ(a.server_port, b.server_port);
    EXPECT_EQ(a.server_pin, b.server_pin);
    EXPECT_EQ(a.record, b.record);
    EXPECT_EQ(a.state, b.state);
    EXPECT_EQ(a.verified, b.verified);
    EXPECT_EQ(a.their_shared_token, b.their_shared_token);
    EXPECT_EQ(a.their_recovery_token, b.their_recovery_token);
    EXPECT_EQ(a.invite_secret, b.invite_secret);
    EXPECT_EQ(a.invite_claim, b.invite_claim);
    EXPECT_EQ(a.our_recovery_token, b.our_recovery_token);
    EXPECT_EQ(a.next_sequence, b.next_sequence);
    EXPECT_EQ(a.highest_seen, b.highest_seen);
    EXPECT_EQ(a.added_at, b.added_at);
    EXPECT_EQ(a.introduced, b.introduced);
    EXPECT_EQ(a.blocked, b.blocked);
    EXPECT_EQ(a.other_record, b.other_record);
    EXPECT_EQ(a.heard_at, b.heard_at);
    EXPECT_EQ(a.reset_at, b.reset_at);
    EXPECT_EQ(a.resets, b.resets);
}

TEST_F(ContactsTest, ComeBackAsTheyWerePut) {
    auto bob = some_contact("bob");
    must(store.add_contact(bob));
    EXPECT_GT(bob.id, 0);
    expect_same(must(store.contact(bob.id)).value(), bob);

    bob.name = "Bob 😀";
    bob.server_pin = numbered<32>(1);
    bob.record = Bytes(3000, std::byte{8});
    bob.state = ContactState::changed;
    bob.verified = Verified::qr;
    bob.their_shared_token = numbered<32>(2);
    bob.their_recovery_token = numbered<32>(3);
    bob.invite_secret = numbered<32>(4);
    bob.invite_claim = numbered<16>(5);
    bob.our_recovery_token = numbered<32>(6);
    bob.next_sequence = 0xffff'ffff'ffff'fff0U;
    bob.highest_seen = 0x8000'0000'0000'0000U;
    bob.introduced = true;
    bob.blocked = true;
    bob.other_record = Bytes(2000, std::byte{9});
    bob.heard_at = 1'800'000'000'001;
    bob.reset_at = 1'800'000'000'002;
    bob.resets = 0xffff'ffff;
    must(store.update_contact(bob));
    reopen();
    expect_same(must(store.contact(bob.id)).value(), bob);
    expect_same(must(store.contact_by_name("Bob 😀")).value(), bob);
    expect_same(must(store.contact_by_address(address("bob@chat.example"))).value(), bob);
}

TEST_F(ContactsTest, AreFoundByExactNamesOnly) {
    add("bob");
    EXPECT_FALSE(must(store.contact_by_name("Bob")));
    EXPECT_FALSE(must(store.contact_by_name("bo%")));
    EXPECT_FALSE(must(store.contact_by_name("' OR 1=1 --")));
    EXPECT_FALSE(must(store.contact_by_address(address("bob@other.example"))));
    EXPECT_FALSE(must(store.contact(99)));
}

TEST_F(ContactsTest, HaveNamesAndAddressesOfTheirOwn) {
    add("bob");
    auto same_name = some_contact("bob");
    same_name.address = address("robert@chat.example");
    EXPECT_EQ(code_of(store.add_contact(same_name)), Code::conflict);
    EXPECT_EQ(same_name.id, 0);
    auto same_address = some_contact("robert");
    same_address.address = address("bob@chat.example");
    EXPECT_EQ(code_of(store.add_contact(same_address)), Code::conflict);
    auto carol = some_contact("carol");
    must(store.add_contact(carol));
    carol.name = "bob";
    EXPECT_EQ(code_of(store.update_contact(carol)), Code::conflict);
    EXPECT_EQ(must(store.contacts()).size(), 2U);
}

TEST_F(ContactsTest, AreListedByName) {
    add("carol");
    add("alice");
    add("bob");
    std::string names;
    for (const auto& contact : must(store.contacts())) names += contact.name + " ";
    EXPECT_EQ(names, "alice bob carol ");
}

TEST_F(ContactsTest, ThatAreNotThereAreNotUpdated) {
    auto nobody = some_contact("nobody");
    nobody.id = 77;
    EXPECT_EQ(code_of(store.update_contact(nobody)), Code::missing);
    must(store.remove_contact(77));
}

TEST_F(ContactsTest, TakeAllThatIsTheirsWithThem) {
    const auto bob = add("bob");
    const auto carol = add("carol");
    for (const auto contact : {bob, carol}) {
        auto message = some_message(contact, 1);
        ASSERT_TRUE(must(store.add_message(message)));
        must(store.queue(some_item(contact, 1)));
        must(store.owe_acknowledgement(contact, numbered<16>(1)));
        ASSERT_TRUE(must(store.remember_content(contact, numbered<16>(2), 1)));
    }
    must(store.remove_contact(bob));
    EXPECT_FALSE(must(store.contact(bob)));
    EXPECT_TRUE(must(store.history(bob, "", -1)).empty());
    EXPECT_FALSE(must(store.outbox_item(bob, numbered<16>(1))));
    EXPECT_TRUE(must(store.owed_acknowledgements(bob, -1)).empty());
    EXPECT_EQ(must(store.contacts_owed()), std::vector{carol});
    EXPECT_EQ(must(store.outbox_size()), 1);
    EXPECT_EQ(must(store.history(carol, "message", -1)).size(), 1U);
    // Nothing of it is left in the search index.
    auto words =
        store.database().prepare("SELECT count(*) FROM message_words WHERE message_words MATCH 'message'");
    ASSERT_TRUE(must(words.step()));
    EXPECT_EQ(words.integer(0), 1);
    must(store.database().check());
}

TEST_F(ContactsTest, NeverGetTheNumberOfOneThatWasRemoved) {
    const auto bob = add("bob");
    must(store.remove_contact(bob));
    EXPECT_GT(add("carol"), bob);
}

TEST_F(ContactsTest, OutOfShapeAreDamaged) {
    const auto bob = add("bob");
    for (const auto* const change :
         {"address = 'bob'", "server_port = -1", "server_pin = x'00'", "state = 4", "state = -1",
          "verified = 4", "their_shared_token = zeroblob(16)", "their_recovery_token = x''",
          "invite_secret = zeroblob(33)", "invite_claim = zeroblob(32)", "our_recovery_token = x'01'",
          "introduced = 7"}) {
        const Transaction undone{store.database()};
        tamper("UPDATE contacts SET " + std::string{change});
        EXPECT_EQ(code_of(store.contact(bob)), Code::damaged) << change;
        EXPECT_EQ(code_of(store.contacts()), Code::damaged) << change;
    }
    EXPECT_TRUE(must(store.contact(bob)));
}

}  // namespace
}  // namespace sotto::storage::test
