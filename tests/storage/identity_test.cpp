#include "crypto/people.hpp"
#include "stores.hpp"

namespace sotto::storage::test {
namespace {

using IdentityTest = StoreTest;

Identity some_identity() {
    crypto::SeededRng rng{3};
    return Identity{.address = address("alice@chat.example"),
                    .device = 0xfffffff0U,
                    .signing_key = crypto::DeviceSigningKeyPair::generate(rng),
                    .identity_key = crypto::IdentityKeyPair::generate(rng),
                    .server_host = "chat.example",
                    .server_port = 65535,
                    .server_pin = numbered<32>(9),
                    .next_server_pin = std::nullopt,
                    .registered = true,
                    .unbound_accepted = false,
                    .shared_token = rng.secret<crypto::Token>()};
}

TEST_F(IdentityTest, IsThereOnceItWasPut) {
    EXPECT_FALSE(must(store.identity()));
    const auto put = some_identity();
    must(store.put_identity(put));
    reopen();
    const auto got = must(store.identity());
    ASSERT_TRUE(got);
    EXPECT_EQ(got->address, put.address);
    EXPECT_EQ(got->device, put.device);
    EXPECT_EQ(got->signing_key.public_key(), put.signing_key.public_key());
    EXPECT_EQ(got->identity_key.public_key(), put.identity_key.public_key());
    EXPECT_EQ(got->server_host, put.server_host);
    EXPECT_EQ(got->server_port, put.server_port);
    EXPECT_EQ(got->server_pin, put.server_pin);
    EXPECT_EQ(got->next_server_pin, std::nullopt);
    EXPECT_TRUE(got->registered);
    EXPECT_FALSE(got->unbound_accepted);
    EXPECT_TRUE(crypto::equal_constant_time(got->shared_token.expose(), put.shared_token.expose()));
}

TEST_F(IdentityTest, IsOneOnly) {
    auto identity = some_identity();
    must(store.put_identity(identity));
    identity.server_host = "moved.example";
    identity.next_server_pin = numbered<32>(10);
    must(store.put_identity(identity));
    const auto got = must(store.identity());
    EXPECT_EQ(got->server_host, "moved.example");
    EXPECT_EQ(got->next_server_pin, numbered<32>(10));
}

TEST_F(IdentityTest, OutOfShapeIsDamaged) {
    must(store.put_identity(some_identity()));
    for (const auto* const change :
         {"address = 'nobody'", "device = -1", "device = 4294967296", "signing_seed = x'00'",
          "identity_seed = zeroblob(33)", "server_port = 65536", "server_pin = x'aa'",
          "next_server_pin = x''", "registered = 2", "unbound_accepted = -1",
          "shared_token = zeroblob(31)"}) {
        const Transaction undone{store.database()};
        tamper("UPDATE identity SET " + std::string{change});
        EXPECT_EQ(code_of(store.identity()), Code::damaged) << change;
    }
    EXPECT_TRUE(must(store.identity()));
}

TEST_F(IdentityTest, OwnRecordsAreKeptBySequence) {
    EXPECT_FALSE(must(store.newest_own_record()));
    const auto alice = crypto::test::alice();
    auto body = alice.record.body();
    body.sequence = 2;
    body.previous = alice.record.hash();
    const auto second = must(crypto::AccountRecord::sign(body, alice.account));
    must(store.put_own_record(second));
    must(store.put_own_record(alice.record));
    EXPECT_EQ(must(store.newest_own_record())->hash(), second.hash());
    EXPECT_EQ(must(store.own_record(1))->hash(), alice.record.hash());
    EXPECT_FALSE(must(store.own_record(3)));
}

TEST_F(IdentityTest, OwnRecordsAreNeverReplaced) {
    const auto alice = crypto::test::alice();
    must(store.put_own_record(alice.record));
    must(store.put_own_record(alice.record));
    auto body = alice.record.body();
    body.day += 1;
    EXPECT_EQ(code_of(store.put_own_record(must(crypto::AccountRecord::sign(body, alice.account)))),
              Code::conflict);
    EXPECT_EQ(must(store.own_record(1))->hash(), alice.record.hash());
    tamper("UPDATE own_records SET record = x'00'");
    EXPECT_EQ(code_of(store.own_record(1)), Code::damaged);
    EXPECT_EQ(code_of(store.put_own_record(alice.record)), Code::damaged);
}

TEST_F(IdentityTest, SettingsHoldAnyBytes) {
    EXPECT_FALSE(must(store.setting("colour")));
    must(store.put_setting("colour", "green"));
    must(store.put_setting("colour", std::string_view{"b\0lue\xff", 6}));
    must(store.put_setting("", ""));
    EXPECT_EQ(must(store.setting("colour")), (std::string{"b\0lue\xff", 6}));
    EXPECT_EQ(must(store.setting("")), "");
}

TEST_F(IdentityTest, ANewerStoreIsNotOpened) {
    tamper("PRAGMA user_version = 1000");
    {
        const auto closed = std::move(store);
    }
    EXPECT_EQ(code_of(ClientStore::open(file, key_of(1))), Code::newer);
    EXPECT_EQ(code_of(ClientStore::open(file, key_of(2))), Code::damaged);
}

TEST(Names, AreWordsForEveryValue) {
    EXPECT_EQ(name(ContactState::joining), "joining");
    EXPECT_EQ(name(ContactState::claimed), "claimed");
    EXPECT_EQ(name(ContactState::confirmed), "confirmed");
    EXPECT_EQ(name(ContactState::changed), "changed");
    EXPECT_EQ(name(Verified::no), "no");
    EXPECT_EQ(name(Verified::link), "link");
    EXPECT_EQ(name(Verified::number), "number");
    EXPECT_EQ(name(Verified::qr), "qr");
    EXPECT_EQ(name(MessageState::queued), "queued");
    EXPECT_EQ(name(MessageState::sent), "sent");
    EXPECT_EQ(name(MessageState::stored), "stored");
    EXPECT_EQ(name(MessageState::delivered), "delivered");
    EXPECT_EQ(name(MessageState::failed), "failed");
    EXPECT_EQ(name(MessageState::received), "received");
}

}  // namespace
}  // namespace sotto::storage::test
