#include "sotto/crypto/login.hpp"

#include "people.hpp"

namespace sotto::crypto::test {
namespace {

class Login : public testing::Test {
  protected:
    static LoginChallenge challenge() {
        LoginChallenge out{
            LoginPurpose::login, "chat.example", Address::parse("alice@chat.example").value(), 3, {},
            Array<32>{}};
        out.nonce.fill(std::byte{0x11});
        out.exporter->fill(std::byte{0x22});
        return out;
    }
    SeededRng rng{1};
    DeviceSigningKeyPair key = DeviceSigningKeyPair::generate(rng);
};

TEST_F(Login, ProofVerifies) {
    EXPECT_TRUE(verify_login(challenge(), key.public_key(), prove_login(challenge(), key)));
}

// The bytes of docs/protocol.md section 11, written out.
TEST_F(Login, HasTheDrawnLayout) {
    Bytes message;
    Writer w{message};
    w.u16(12);
    w.raw(text("chat.example"));
    w.u16(18);
    w.raw(text("alice@chat.example"));
    w.u32(3);
    w.raw(challenge().nonce);
    w.raw(*challenge().exporter);
    EXPECT_EQ(prove_login(challenge(), key), key.sign("Sotto/1/login", message));
    message.resize(message.size() - 32);
    auto unbound = challenge();
    unbound.exporter.reset();
    EXPECT_EQ(prove_login(unbound, key), key.sign("Sotto/1/login-unbound", message));
    unbound.purpose = LoginPurpose::registration;
    EXPECT_EQ(prove_login(unbound, key), key.sign("Sotto/1/register-unbound", message));
}

TEST_F(Login, NothingMayDiffer) {
    const auto proof = prove_login(challenge(), key);
    const auto refused = [&](auto change) {
        auto other = challenge();
        change(other);
        return !verify_login(other, key.public_key(), proof);
    };
    EXPECT_TRUE(refused([](auto& c) { c.purpose = LoginPurpose::registration; }));
    EXPECT_TRUE(refused([](auto& c) { c.server_name = "chat.example.org"; }));
    EXPECT_TRUE(refused([](auto& c) { c.account.user = "bob"; }));
    EXPECT_TRUE(refused([](auto& c) { c.account.server = "other.example"; }));
    EXPECT_TRUE(refused([](auto& c) { c.device = 4; }));
    EXPECT_TRUE(refused([](auto& c) { c.nonce[0] ^= std::byte{1}; }));
    EXPECT_TRUE(refused([](auto& c) { (*c.exporter)[31] ^= std::byte{1}; }))
        << "relayed to another connection";
    EXPECT_TRUE(refused([](auto& c) { c.exporter.reset(); })) << "bound proof taken for an unbound one";
    EXPECT_FALSE(verify_login(challenge(), DeviceSigningKeyPair::generate(rng).public_key(), proof));
}

TEST_F(Login, AZeroExporterIsNotUnbound) {
    auto zero = challenge();
    zero.exporter->fill(std::byte{0});
    auto unbound = challenge();
    unbound.exporter.reset();
    EXPECT_FALSE(verify_login(zero, key.public_key(), prove_login(unbound, key)));
}

}  // namespace
}  // namespace sotto::crypto::test
