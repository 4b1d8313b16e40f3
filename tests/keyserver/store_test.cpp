// What the stores promise beyond what the rules' tests show.
#include "keyserver/rig.hpp"

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
