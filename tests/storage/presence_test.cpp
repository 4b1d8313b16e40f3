#include "stores.hpp"

namespace sotto::storage::test {
namespace {

class PresenceStoreTest : public StoreTest {
  protected:
    std::int64_t bob = add("bob");
    [[nodiscard]] PresenceRow full() const {
        PresenceRow row;
        row.contact = bob;
        row.visible = false;
        row.own.emplace(PresenceRow::Own{.key = crypto::PresenceKey{numbered<32>(1)},
                                         .day = 20'000,
                                         .write_secret = crypto::PresenceWriteSecret{numbered<16>(2)}});
        row.theirs.emplace(PresenceRow::Theirs{
            .key = crypto::PresenceKey{numbered<32>(3)}, .day = 20'001, .sequence = 1ULL << 63U});
        return row;
    }
};

TEST_F(PresenceStoreTest, IsVisibleAndWithoutKeysAtFirst) {
    const auto row = must(store.presence(bob));
    EXPECT_EQ(row.contact, bob);
    EXPECT_TRUE(row.visible);
    EXPECT_FALSE(row.own);
    EXPECT_FALSE(row.theirs);
}

TEST_F(PresenceStoreTest, ComesBackAsItWasStored) {
    must(store.put_presence(full()));
    reopen();
    const auto row = must(store.presence(bob));
    EXPECT_FALSE(row.visible);
    ASSERT_TRUE(row.own);
    EXPECT_TRUE(crypto::equal_constant_time(row.own->key.expose(), numbered<32>(1)));
    EXPECT_TRUE(crypto::equal_constant_time(row.own->write_secret.expose(), numbered<16>(2)));
    EXPECT_EQ(row.own->day, 20'000U);
    ASSERT_TRUE(row.theirs);
    EXPECT_TRUE(crypto::equal_constant_time(row.theirs->key.expose(), numbered<32>(3)));
    EXPECT_EQ(row.theirs->day, 20'001U);
    EXPECT_EQ(row.theirs->sequence, 1ULL << 63U);

    auto less = full();
    less.visible = true;
    less.own.reset();
    less.theirs.reset();
    must(store.put_presence(less));
    EXPECT_TRUE(must(store.presence(bob)).visible);
    EXPECT_FALSE(must(store.presence(bob)).own);
    EXPECT_FALSE(must(store.presence(bob)).theirs);
}

TEST_F(PresenceStoreTest, GoesWithTheContact) {
    must(store.put_presence(full()));
    must(store.remove_contact(bob));
    EXPECT_FALSE(must(store.presence(bob)).own);
    EXPECT_EQ(code_of(store.put_presence(full())), Code::conflict);
}

TEST_F(PresenceStoreTest, ARowOutOfShapeIsDamage) {
    for (const auto* change : {"own_key = x'00'", "write_key = NULL", "own_key = NULL", "their_key = x''",
                               "visible = 2", "own_day = -1", "their_day = 4294967296"}) {
        must(store.put_presence(full()));
        tamper(std::string{"UPDATE presence SET "} + change);
        EXPECT_EQ(code_of(store.presence(bob)), Code::damaged) << change;
    }
}

}  // namespace
}  // namespace sotto::storage::test
