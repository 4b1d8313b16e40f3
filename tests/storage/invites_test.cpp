#include "stores.hpp"

namespace sotto::storage::test {
namespace {

using InvitesTest = StoreTest;

crypto::InviteSecret secret_of(std::uint32_t number) {
    return crypto::InviteSecret{numbered<32>(number)};
}

TEST_F(InvitesTest, ComeBackByTheIdOfTheirSecret) {
    must(store.put_invite({.secret = secret_of(1), .created_at = 10, .expires_at = 20}));
    const auto id = crypto::invite_id(secret_of(1));
    const auto got = must(store.invite(id));
    ASSERT_TRUE(got);
    EXPECT_TRUE(crypto::equal_constant_time(got->secret.expose(), secret_of(1).expose()));
    EXPECT_EQ(got->created_at, 10);
    EXPECT_EQ(got->expires_at, 20);
    EXPECT_EQ(got->used_by, 0);
    EXPECT_FALSE(must(store.invite(crypto::invite_id(secret_of(2)))));
    EXPECT_EQ(code_of(store.put_invite({.secret = secret_of(1)})), Code::conflict);
    tamper("UPDATE invites SET secret = x'00'");
    EXPECT_EQ(code_of(store.invite(id)), Code::damaged);
}

TEST_F(InvitesTest, AreOpenUntilUsedOrExpired) {
    must(store.put_invite({.secret = secret_of(1), .created_at = 10, .expires_at = 20}));
    must(store.put_invite({.secret = secret_of(2), .created_at = 5, .expires_at = 30}));
    must(store.put_invite({.secret = secret_of(3), .created_at = 7, .expires_at = 30, .used_by = 4}));
    EXPECT_EQ(must(store.open_invites(15)).size(), 2U);
    EXPECT_EQ(must(store.open_invites(15))[0].created_at, 5);
    EXPECT_EQ(must(store.open_invites(20)).size(), 1U);
    EXPECT_TRUE(must(store.open_invites(30)).empty());
}

TEST_F(InvitesTest, AreUsedByOne) {
    must(store.put_invite({.secret = secret_of(1), .created_at = 10, .expires_at = 20}));
    const auto id = crypto::invite_id(secret_of(1));
    const auto bob = add("bob");
    must(store.use_invite(id, bob));
    must(store.use_invite(id, bob));
    EXPECT_EQ(code_of(store.use_invite(id, bob + 1)), Code::conflict);
    EXPECT_EQ(code_of(store.use_invite(crypto::invite_id(secret_of(2)), bob)), Code::conflict);
    EXPECT_TRUE(must(store.open_invites(15)).empty());
    must(store.remove_contact(bob));
    EXPECT_TRUE(must(store.open_invites(15)).empty());
    EXPECT_EQ(must(store.invite(id))->used_by, bob);
}

}  // namespace
}  // namespace sotto::storage::test
