#include "stores.hpp"

namespace sotto::storage::test {
namespace {

using PrekeysTest = StoreTest;
using enum PrekeyKind;

StoredPrekey some_prekey(std::uint32_t id) {
    StoredPrekey key;
    key.id = id;
    for (std::size_t i = 0; i < 64; ++i) key.seed.writable()[i] = static_cast<std::byte>(id + i);
    return key;
}

TEST_F(PrekeysTest, GetIdsThatAreNeverGivenTwice) {
    for (std::uint32_t expected = 1; expected <= 5; ++expected)
        EXPECT_EQ(must(store.next_prekey_id(one_time)), expected);
    EXPECT_EQ(must(store.next_prekey_id(one_time_kem)), 1U);
    must(store.put_prekey(one_time, some_prekey(5), 1));
    must(store.delete_prekey(one_time, 5));
    reopen();
    EXPECT_EQ(must(store.next_prekey_id(one_time)), 6U);
    tamper("UPDATE prekey_ids SET last = 4294967295");
    EXPECT_EQ(code_of(store.next_prekey_id(one_time)), Code::damaged);
}

TEST_F(PrekeysTest, KeepTheSeedOfTheirKind) {
    for (const auto kind : {signed_prekey, last_resort, one_time, one_time_kem}) {
        const auto put = some_prekey(7);
        must(store.put_prekey(kind, put, 20'000));
        const auto got = must(store.prekey(kind, 7));
        ASSERT_TRUE(got);
        EXPECT_EQ(got->id, 7U);
        const std::size_t size = kind == signed_prekey || kind == one_time ? 32 : 64;
        for (std::size_t i = 0; i < 64; ++i)
            EXPECT_EQ(got->seed.expose()[i], i < size ? put.seed.expose()[i] : std::byte{0});
    }
    EXPECT_FALSE(must(store.prekey(one_time, 8)));
    EXPECT_EQ(code_of(store.put_prekey(one_time, some_prekey(7), 1)), Code::conflict);
    must(store.delete_prekey(one_time, 7));
    EXPECT_FALSE(must(store.prekey(one_time, 7)));
    EXPECT_TRUE(must(store.prekey(one_time_kem, 7)));
}

TEST_F(PrekeysTest, OutOfShapeAreDamaged) {
    must(store.put_prekey(one_time, some_prekey(1), 1));
    must(store.put_prekey(last_resort, some_prekey(1), 1));
    tamper("UPDATE prekeys SET seed = zeroblob(33), day = -1");
    EXPECT_EQ(code_of(store.prekey(one_time, 1)), Code::damaged);
    EXPECT_EQ(code_of(store.prekey(last_resort, 1)), Code::damaged);
    EXPECT_EQ(code_of(store.newest_prekey_day(one_time)), Code::damaged);
}

TEST_F(PrekeysTest, AreKeptThirtyDaysAfterTheirReplacement) {
    must(store.put_prekey(signed_prekey, some_prekey(1), 100));
    must(store.put_prekey(signed_prekey, some_prekey(2), 102));
    must(store.put_prekey(last_resort, some_prekey(1), 100));
    must(store.retire_prekeys(signed_prekey, 2, 102));
    must(store.put_prekey(signed_prekey, some_prekey(3), 104));
    must(store.retire_prekeys(signed_prekey, 3, 132));
    EXPECT_TRUE(must(store.prekey(signed_prekey, 1)));
    must(store.retire_prekeys(signed_prekey, 3, 133));
    EXPECT_FALSE(must(store.prekey(signed_prekey, 1)));
    EXPECT_TRUE(must(store.prekey(signed_prekey, 2)));
    must(store.retire_prekeys(signed_prekey, 3, 163));
    EXPECT_FALSE(must(store.prekey(signed_prekey, 2)));
    EXPECT_TRUE(must(store.prekey(signed_prekey, 3)));
    EXPECT_TRUE(must(store.prekey(last_resort, 1)));
}

TEST_F(PrekeysTest, AreUnpublishedUntilTheServerHasThem) {
    for (const std::uint32_t id : {3U, 1U, 2U}) must(store.put_prekey(one_time, some_prekey(id), 1));
    EXPECT_EQ(must(store.unpublished_prekeys(one_time)), (std::vector<std::uint32_t>{1, 2, 3}));
    must(store.mark_published(one_time, 2));
    EXPECT_EQ(must(store.unpublished_prekeys(one_time)), (std::vector<std::uint32_t>{1, 3}));
    EXPECT_TRUE(must(store.unpublished_prekeys(one_time_kem)).empty());
    // One that was replaced before it got there is not published any more.
    must(store.retire_prekeys(one_time, 3, 2));
    EXPECT_EQ(must(store.unpublished_prekeys(one_time)), (std::vector<std::uint32_t>{3}));
}

TEST_F(PrekeysTest, TellTheDayOfTheNewest) {
    EXPECT_EQ(must(store.newest_prekey_day(last_resort)), 0U);
    must(store.put_prekey(last_resort, some_prekey(1), 300));
    must(store.put_prekey(last_resort, some_prekey(2), 200));
    EXPECT_EQ(must(store.newest_prekey_day(last_resort)), 200U);
}

}  // namespace
}  // namespace sotto::storage::test
