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

}  // namespace
}  // namespace sotto::storage::test
