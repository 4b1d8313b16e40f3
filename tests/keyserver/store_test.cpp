// What the stores promise beyond what the rules' tests show.
#include "keyserver/rig.hpp"
#include "keyserver/store/schema.hpp"
#include "keyserver/store/sql_mailbox.hpp"
#include "support/process.hpp"

namespace sotto::keyserver::test {
namespace {

EnvelopeId id_of(std::uint64_t number) {
    EnvelopeId id{};
    std::memcpy(id.data(), &number, sizeof number);
    return id;
}

class StoreTest : public testing::Test {
  protected:
    StoreTest() {
        rig.registered(TestDevice{"alice"})->hang_up();
        rig.settle();
    }
    Rig rig;
    DeviceKey key{.account = 1, .device = 1};
};

TEST_F(StoreTest, MailSequencesRiseAlsoAfterTheMailboxWasEmptied) {
    rig.with_store([&](Stores& stores) {
        EXPECT_TRUE(stores.mailbox.append(key, id_of(1), "a", 1));
        EXPECT_FALSE(stores.mailbox.append(key, id_of(1), "b", 1));
        const auto first = stores.mailbox.page(key, 0, 10, 1000);
        stores.mailbox.remove(key, {id_of(1)});
        EXPECT_TRUE(stores.mailbox.append(key, id_of(2), "c", 1));
        const auto second = stores.mailbox.page(key, 0, 10, 1000);
        EXPECT_EQ(*first.at(0).envelope, "a");
        EXPECT_GT(second.at(0).sequence, first.at(0).sequence);
        return true;
    });
}

TEST_F(StoreTest, MailPagesAreBoundedInNumberAndInBytes) {
    rig.with_store([&](Stores& stores) {
        for (std::uint64_t i = 0; i < 10; ++i)
            EXPECT_TRUE(stores.mailbox.append(key, id_of(i), std::string(100, 'x'), 1));
        EXPECT_EQ(stores.mailbox.page(key, 0, 3, 100'000).size(), 3U);
        EXPECT_EQ(stores.mailbox.page(key, 0, 10, 250).size(), 3U);
        const auto all = stores.mailbox.page(key, 0, 100, 100'000);
        EXPECT_EQ(stores.mailbox.page(key, all.at(6).sequence, 100, 100'000).size(), 3U);
        const auto use = stores.mailbox.use(key);
        EXPECT_EQ(use.envelopes, 10);
        EXPECT_EQ(use.bytes, 1000);
        return true;
    });
}

TEST_F(StoreTest, AMailboxIsReadWithoutItsNeighbours) {
    rig.registered(TestDevice{"bob"})->hang_up();
    rig.settle();
    const DeviceKey bob{.account = 2, .device = 1};
    rig.with_store([&](Stores& stores) {
        for (std::uint64_t i = 0; i < 6; ++i)
            EXPECT_TRUE(
                stores.mailbox.append(i % 2 == 0 ? key : bob, id_of(i), std::string(1, char('a' + i)), i));
        // The same name in another mailbox is another envelope.
        EXPECT_TRUE(stores.mailbox.append(bob, id_of(0), "other", 6));
        const auto texts = [&](DeviceKey whose, std::int64_t after) {
            std::string out;
            for (const auto& row : stores.mailbox.page(whose, after, 10, 1000)) out += *row.envelope;
            return out;
        };
        EXPECT_EQ(texts(key, 0), "ace");
        EXPECT_EQ(texts(bob, 0), "bdfother");
        EXPECT_EQ(texts(key, stores.mailbox.page(key, 0, 1, 1000).at(0).sequence), "ce");
        stores.mailbox.remove(bob, {id_of(0)});
        EXPECT_EQ(texts(key, 0), "ace");
        EXPECT_EQ(texts(bob, 0), "bdf");
        EXPECT_EQ(texts({.account = 9, .device = 1}, 0), "");
        return true;
    });
}

TEST_F(StoreTest, WhatIsTooOldGoesFromEveryMailbox) {
    rig.registered(TestDevice{"bob"})->hang_up();
    rig.settle();
    const DeviceKey bob{.account = 2, .device = 1};
    rig.with_store([&](Stores& stores) {
        for (std::uint64_t i = 0; i < 8; ++i)
            EXPECT_TRUE(stores.mailbox.append(i % 2 == 0 ? key : bob, id_of(i), "x", i));
        EXPECT_TRUE(stores.mailbox.remove_older(5, 2));
        EXPECT_FALSE(stores.mailbox.contains(key, id_of(0)));
        EXPECT_FALSE(stores.mailbox.contains(bob, id_of(1)));
        EXPECT_TRUE(stores.mailbox.contains(key, id_of(2)));
        EXPECT_FALSE(stores.mailbox.remove_older(5, 100));
        EXPECT_EQ(stores.mailbox.use(key).envelopes, 1);
        EXPECT_EQ(stores.mailbox.use(bob).envelopes, 2);
        return true;
    });
}

TEST(StoreMigration, MailOfVersionThreeStaysInOrder) {
    const sotto::test::TemporaryFolder folder;
    const storage::DatabaseKey store_key{Array<32>{}};
    const auto file = folder / "store.db";
    const std::span all{migrations};
    {
        auto old = storage::Database::open(file, store_key, all.first(3));
        ASSERT_TRUE(old);
        for (const auto* const sql :
             {"INSERT INTO accounts (id, user, created_day) VALUES (1, 'alice', 1), (2, 'bob', 1)",
              "INSERT INTO devices (account, device, signing_key) VALUES (1, 1, x'00'), (2, 1, x'00')",
              "INSERT INTO mail (account, device, id, stored_at, envelope) VALUES (2, 1, zeroblob(16), 5, "
              "x'6f6e65'), "
              "(1, 1, zeroblob(16), 6, x'74776f'), (2, 1, x'01010101010101010101010101010101', 7, "
              "x'7468726565')",
              "INSERT INTO mailboxes VALUES (1, 1, 1, 3), (2, 1, 2, 8)"})
            ASSERT_TRUE(old->execute(sql)) << sql;
    }
    auto db = storage::Database::open(file, store_key, all);
    ASSERT_TRUE(db);
    Sql sql{*db};
    SqlMailbox mailbox{sql};
    const DeviceKey bob{.account = 2, .device = 1};
    const auto rows = mailbox.page(bob, 0, 10, 1000);
    ASSERT_EQ(rows.size(), 2U);
    EXPECT_EQ(*rows[0].envelope + *rows[1].envelope, "onethree");
    EXPECT_TRUE(mailbox.append(bob, id_of(9), "four", 8));
    EXPECT_EQ(*mailbox.page(bob, rows[1].sequence, 10, 1000).at(0).envelope, "four");
    EXPECT_EQ(mailbox.use(bob).envelopes, 3);
    EXPECT_EQ(mailbox.use({.account = 1, .device = 1}).bytes, 3);
    EXPECT_FALSE(sql.failure());
}

TEST_F(StoreTest, PieceOfWorkThatFailsTakesNoOtherWithIt) {
    std::vector<int> finished;
    rig.queue.submit([&](Stores& stores) { return stores.mailbox.append(key, id_of(1), "good", 1); },
                     [&](std::optional<bool> done) { finished.push_back(done.value_or(false) ? 1 : -1); });
    rig.queue.submit([&](Stores& stores) { return stores.accounts.add("alice", 1); },  // the name is taken
                     [&](std::optional<AccountId> done) { finished.push_back(done ? 2 : -2); });
    rig.queue.submit([&](Stores& stores) { return stores.mailbox.append(key, id_of(3), "good", 1); },
                     [&](std::optional<bool> done) { finished.push_back(done.value_or(false) ? 3 : -3); });
    rig.queue.expect_failures = true;
    rig.settle();
    rig.queue.expect_failures = false;
    EXPECT_EQ(finished, (std::vector<int>{1, -2, 3}));
    rig.with_store([&](Stores& stores) {
        EXPECT_EQ(stores.mailbox.use(key).envelopes, 2);
        return true;
    });
}

TEST_F(StoreTest, NothingReadableOnDisk) {
    const auto peer = rig.logged_in(TestDevice{"alice"});
    rig.set_shared(*peer, "token");
    peer->hang_up();
    const auto sender = rig.connect(Purpose::delivery);
    sender->ask(deliver_request("alice", 1, "1", envelope("sentinel words"), "token"));
    std::string all;
    for (const auto& entry : std::filesystem::directory_iterator{rig.folder.path()})
        all += sotto::test::read_file(entry.path());
    EXPECT_GT(all.size(), 4096U);
    for (const auto* word : {"sentinel", "alice", "SQLite", "CREATE"})
        EXPECT_EQ(all.find(word), std::string::npos);
    EXPECT_EQ(all.find(token("token")), std::string::npos);
    EXPECT_EQ(all.find(token_hash_of("token")), std::string::npos);
}

}  // namespace
}  // namespace sotto::keyserver::test
