#include "crypto/people.hpp"
#include "stores.hpp"

namespace sotto::storage::test {
namespace {

crypto::KeptKey some_kept(std::uint32_t chain, std::uint32_t n) {
    crypto::KeptKey key{.chain = chain, .n = n, .key = {}};
    key.key.writable()[0] = static_cast<std::byte>(chain);
    key.key.writable()[31] = static_cast<std::byte>(n);
    return key;
}

class SessionsTest : public StoreTest {
  protected:
    crypto::SessionId put(std::uint64_t seed, std::int64_t contact, std::int64_t now, bool archived = false) {
        crypto::SeededRng rng{seed};
        auto bundle = b.bundle();
        auto session = must(crypto::initiate(a.local(), bundle, nullptr, crypto::test::today, rng));
        const auto id = session.id();
        must(store.put_session({std::move(session), contact, 7, archived}, now));
        return id;
    }
    crypto::test::Person a = crypto::test::alice();
    crypto::test::Person b = crypto::test::bob();
    std::int64_t bob = add("bob");
};

TEST_F(SessionsTest, ComeBackAsTheyWerePut) {
    auto session = must(crypto::test::start(a, b));
    const auto state = session.serialize();
    must(store.put_session({session.clone(), bob, 0xffffffffU, true}, 5));
    reopen();
    const auto rows = must(store.sessions());
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_EQ(rows[0].session.serialize(), state);
    EXPECT_EQ(rows[0].contact, bob);
    EXPECT_EQ(rows[0].device, 0xffffffffU);
    EXPECT_TRUE(rows[0].archived);
}

TEST_F(SessionsTest, AreReplacedByTheirNextState) {
    auto session = must(crypto::test::start(a, b));
    must(store.put_session({session.clone(), bob, 7, false}, 5));
    must(store.put_kept_key(session.id(), some_kept(1, 1), 5));
    auto sealed = must(session.seal(bytes_of("hello"), crypto::test::now_ms, a.rng));
    const auto next = sealed.next.serialize();
    must(store.put_session({std::move(sealed.next), bob, 7, false}, 6));
    const auto rows = must(store.sessions_of(bob));
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_EQ(rows[0].session.serialize(), next);
    EXPECT_TRUE(must(store.kept_key(session.id(), {1, 1})));
}

TEST_F(SessionsTest, AreListedNewestUseFirst) {
    const auto carol = add("carol");
    const auto first = put(10, bob, 100);
    const auto second = put(11, bob, 300);
    const auto third = put(12, carol, 200);
    const auto all = must(store.sessions());
    ASSERT_EQ(all.size(), 3U);
    EXPECT_EQ(all[0].session.id(), second);
    EXPECT_EQ(all[1].session.id(), third);
    EXPECT_EQ(all[2].session.id(), first);
    EXPECT_EQ(must(store.sessions_of(bob)).size(), 2U);
    EXPECT_TRUE(must(store.sessions_of(99)).empty());
}

TEST_F(SessionsTest, AreArchivedAndDeleted) {
    const auto id = put(10, bob, 100);
    must(store.archive_session(id, true));
    EXPECT_TRUE(must(store.sessions())[0].archived);
    must(store.archive_session(id, false));
    EXPECT_FALSE(must(store.sessions())[0].archived);
    must(store.put_kept_key(id, some_kept(1, 1), 5));
    must(store.delete_session(id));
    EXPECT_TRUE(must(store.sessions()).empty());
    EXPECT_FALSE(must(store.kept_key(id, {1, 1})));
}

TEST_F(SessionsTest, GoWithTheirContactAndTheirKeptKeysToo) {
    const auto id = put(10, bob, 100);
    must(store.put_kept_key(id, some_kept(1, 1), 5));
    must(store.remove_contact(bob));
    EXPECT_TRUE(must(store.sessions()).empty());
    auto left = store.database().prepare("SELECT count(*) FROM kept_keys");
    ASSERT_TRUE(must(left.step()));
    EXPECT_EQ(left.integer(0), 0);
}

TEST_F(SessionsTest, NeedAContact) {
    auto session = must(crypto::test::start(a, b));
    EXPECT_EQ(code_of(store.put_session({std::move(session), 99, 7, false}, 5)), Code::conflict);
}

TEST_F(SessionsTest, OutOfShapeAreDamaged) {
    const auto id = put(10, bob, 100);
    for (const auto* const change : {"state = x''", "state = substr(state, 1, length(state) - 1)",
                                     "state = state || x'00'", "state = zeroblob(length(state))",
                                     "id = zeroblob(32)", "id = x'00'", "device = -1", "archived = 2"}) {
        const Transaction undone{store.database()};
        // (x || y makes text of two blobs)
        tamper("UPDATE sessions SET " + (std::string_view{change} == "state = state || x'00'"
                                             ? "state = CAST(state || x'00' AS BLOB)"
                                             : std::string{change}));
        EXPECT_EQ(code_of(store.sessions()), Code::damaged) << change;
        EXPECT_EQ(code_of(store.sessions_of(bob)), Code::damaged) << change;
    }
    EXPECT_EQ(must(store.sessions())[0].session.id(), id);
}

TEST_F(SessionsTest, KeptKeysAreFoundByChainAndNumber) {
    const auto id = put(10, bob, 100);
    const auto other = put(11, bob, 100);
    for (const std::uint32_t n : {1U, 2U, 0xffffffffU}) must(store.put_kept_key(id, some_kept(1, n), 50));
    must(store.put_kept_key(id, some_kept(2, 1), 60));
    EXPECT_EQ(code_of(store.put_kept_key(id, some_kept(2, 1), 60)), Code::conflict);
    const auto key = must(store.kept_key(id, {1, 0xffffffffU}));
    ASSERT_TRUE(key);
    EXPECT_TRUE(crypto::equal_constant_time(key->expose(), some_kept(1, 0xffffffffU).key.expose()));
    EXPECT_FALSE(must(store.kept_key(id, {3, 1})));
    EXPECT_FALSE(must(store.kept_key(other, {1, 1})));
    must(store.delete_kept_key(id, {1, 1}));
    EXPECT_FALSE(must(store.kept_key(id, {1, 1})));
    must(store.delete_kept_chain(id, 1));
    EXPECT_FALSE(must(store.kept_key(id, {1, 2})));
    EXPECT_TRUE(must(store.kept_key(id, {2, 1})));
    must(store.delete_kept_before(60));
    EXPECT_TRUE(must(store.kept_key(id, {2, 1})));
    must(store.delete_kept_before(61));
    EXPECT_FALSE(must(store.kept_key(id, {2, 1})));
}

TEST_F(SessionsTest, KeptKeysNeedTheirSessionAndTheirSize) {
    EXPECT_EQ(code_of(store.put_kept_key(numbered<32>(1), some_kept(1, 1), 5)), Code::missing);
    const auto id = put(10, bob, 100);
    must(store.put_kept_key(id, some_kept(1, 1), 5));
    tamper("UPDATE kept_keys SET key = zeroblob(31)");
    EXPECT_EQ(code_of(store.kept_key(id, {1, 1})), Code::damaged);
}

TEST_F(SessionsTest, AcceptedHandshakesAreRemembered) {
    EXPECT_FALSE(must(store.replay(numbered<32>(1))));
    must(store.put_replay({.replay_id = numbered<32>(1), .session = numbered<32>(2)}, 5));
    EXPECT_EQ(must(store.replay(numbered<32>(1))), numbered<32>(2));
    EXPECT_EQ(code_of(store.put_replay({.replay_id = numbered<32>(1), .session = numbered<32>(3)}, 5)),
              Code::conflict);
    tamper("UPDATE replays SET session = x'00'");
    EXPECT_EQ(code_of(store.replay(numbered<32>(1))), Code::damaged);
}

}  // namespace
}  // namespace sotto::storage::test
