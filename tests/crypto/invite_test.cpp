#include "sotto/crypto/invite.hpp"

#include "people.hpp"

namespace sotto::crypto::test {
namespace {

InviteSecret secret(std::uint8_t fill) {
    InviteSecret out;
    std::ranges::fill(out.writable(), std::byte{fill});
    return out;
}

// Computed with another implementation of BLAKE2b, by docs/protocol.md section 9.
TEST(Invite, KnownAnswers) {
    EXPECT_EQ(to_hex(invite_id(secret(7))), "0dfa84b05e5646f74e50308a09edefab");
    const auto token = invite_token(secret(7));
    EXPECT_EQ(to_hex(token.expose()), "442be7c2a0d8c4fccce1e39c90dea5860c0fbd165fdaf8dba528e474de94d4af");
    EXPECT_EQ(to_hex(token_hash(token)), "e71ee2cf841c8bc5a0c058a937682356141df42843c7e2df9d9e5769c5262895");
}

TEST(Invite, SecretsDiffer) {
    EXPECT_NE(invite_id(secret(1)), invite_id(secret(2)));
    EXPECT_NE(token_hash(invite_token(secret(1))), token_hash(invite_token(secret(2))));
}

TEST(Invite, FingerprintIsOfTheEncodedKey) {
    const auto a = alice();
    EXPECT_EQ(account_fingerprint(a.account.public_key()),
              hash("Sotto/1/account-fingerprint", {a.account.public_key().encode()}));
    EXPECT_NE(account_fingerprint(a.account.public_key()), account_fingerprint(bob().account.public_key()));
}

TEST(Invite, ProofIsMadeInTheHandshake) {
    auto a = alice();
    auto b = bob();
    const auto invite = secret(7);
    auto accepted = answer(b, start(a, b, &invite)->seal(text("hello"), now_ms, a.rng)->envelope);
    ASSERT_TRUE(accepted.has_value());
    ASSERT_TRUE(accepted->invite.has_value());
    auto proof = *accepted->invite;
    const auto& id = accepted->first.next.id();
    EXPECT_EQ(proof.id, invite_id(invite));
    EXPECT_TRUE(invite_proof_matches(invite, id, proof));
    EXPECT_FALSE(invite_proof_matches(secret(8), id, proof));
    auto other_session = id;
    other_session[0] ^= std::byte{1};
    EXPECT_FALSE(invite_proof_matches(invite, other_session, proof));
    proof.mac[31] ^= std::byte{1};
    EXPECT_FALSE(invite_proof_matches(invite, id, proof));
    proof = *accepted->invite;
    proof.id[0] ^= std::byte{1};
    EXPECT_FALSE(invite_proof_matches(invite, id, proof));
}

TEST(Invite, NoProofWithoutASecret) {
    auto a = alice();
    auto b = bob();
    const auto accepted = answer(b, start(a, b)->seal(text("hello"), now_ms, a.rng)->envelope);
    ASSERT_TRUE(accepted.has_value());
    EXPECT_FALSE(accepted->invite.has_value());
}

}  // namespace
}  // namespace sotto::crypto::test
