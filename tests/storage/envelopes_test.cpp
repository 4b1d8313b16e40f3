#include "stores.hpp"

namespace sotto::storage::test {
namespace {

using EnvelopesTest = StoreTest;

TEST_F(EnvelopesTest, AreSeenOnceRemembered) {
    EXPECT_FALSE(must(store.envelope_seen(numbered<16>(1))));
    must(store.remember_envelope(numbered<16>(1), 100));
    must(store.remember_envelope(numbered<16>(1), 200));
    reopen();
    EXPECT_TRUE(must(store.envelope_seen(numbered<16>(1))));
    must(store.forget_envelopes_before(100));
    EXPECT_TRUE(must(store.envelope_seen(numbered<16>(1))));
    must(store.forget_envelopes_before(101));
    EXPECT_FALSE(must(store.envelope_seen(numbered<16>(1))));
}

TEST_F(EnvelopesTest, AreSeenWhenSetAside) {
    must(store.quarantine(numbered<16>(2), Bytes(96 * 1024, std::byte{1}), 100));
    must(store.quarantine(numbered<16>(2), Bytes(3), 200));
    EXPECT_TRUE(must(store.envelope_seen(numbered<16>(2))));
    auto statement = store.database().prepare("SELECT length(envelope) FROM quarantine");
    ASSERT_TRUE(must(statement.step()));
    EXPECT_EQ(statement.integer(0), 96 * 1024);
    ASSERT_FALSE(must(statement.step()));
    must(store.drop_quarantined_before(100));
    EXPECT_TRUE(must(store.envelope_seen(numbered<16>(2))));
    must(store.drop_quarantined_before(101));
    EXPECT_FALSE(must(store.envelope_seen(numbered<16>(2))));
}

TEST_F(EnvelopesTest, ThatWereSetAsideComeBackInTheirOrderUntilTheyAreReleased) {
    for (const std::uint32_t number : {3U, 1U, 2U})
        must(store.quarantine(numbered<16>(number), Bytes(number, std::byte{7}), 100));
    reopen();
    EXPECT_EQ(must(store.quarantined()),
              (std::vector<EnvelopeId>{numbered<16>(3), numbered<16>(1), numbered<16>(2)}));
    EXPECT_EQ(must(store.quarantined_envelope(numbered<16>(3))), Bytes(3, std::byte{7}));
    EXPECT_FALSE(must(store.quarantined_envelope(numbered<16>(4))));
    must(store.release_quarantined(numbered<16>(3)));
    must(store.release_quarantined(numbered<16>(3)));
    EXPECT_FALSE(must(store.quarantined_envelope(numbered<16>(3))));
    EXPECT_EQ(must(store.quarantined()).size(), 2U);
}

TEST_F(EnvelopesTest, ThatWereSetAsideAreAThousandAtMostAndTheOldestGo) {
    auto transaction = store.begin();
    for (std::uint32_t number = 1; number <= max_quarantined; ++number)
        must(store.quarantine(numbered<16>(number), Bytes(1), 100));
    EXPECT_EQ(must(store.quarantined()).front(), numbered<16>(1));
    EXPECT_EQ(must(store.quarantined()).size(), 1000U);
    must(store.quarantine(numbered<16>(max_quarantined + 1), Bytes(1), 50));
    EXPECT_EQ(must(store.quarantined()).size(), 1000U);
    EXPECT_EQ(must(store.quarantined()).front(), numbered<16>(2));
    EXPECT_EQ(must(store.quarantined()).back(), numbered<16>(max_quarantined + 1));
    must(transaction.commit());
}

}  // namespace
}  // namespace sotto::storage::test
