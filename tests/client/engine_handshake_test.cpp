// First messages that are forged, repeated, or from somebody who begins anew.
#include "client/pair.hpp"
#include "sotto/crypto/session.hpp"

namespace sotto::client::test {
namespace {

using storage::ContactState;
using storage::PrekeyKind;

/// What the server handed out to Alice, and her prekeys that it was made for.
struct Caught {
    Bytes envelope;
    crypto::HandshakeHeader header;
};

std::optional<Caught> caught(const wire::Reply& reply) {
    if (!reply.has_incoming()) return std::nullopt;
    Caught out{to_bytes(bytes_of(reply.incoming().envelope())), {}};
    const auto envelope = crypto::Envelope::parse(out.envelope);
    if (!envelope || !envelope->has_handshake()) return std::nullopt;
    out.header = crypto::parse_handshake(*envelope).value();
    return out;
}

void slip_in(Pair& pair, ByteView envelope, unsigned char id) {
    ASSERT_TRUE(pair.server.slip_in("alice", envelope, id));
    // It is pushed at the next log-in.
    pair.alice.stop();
    pair.alice.start();
    ASSERT_TRUE(
        pair.world.run([&] { return pair.server.mail_waiting() == 0 && pair.alice.engine().idle(); }));
}

TEST(Handshake, AForgedOneSpendsNoPrekeyAndTheRealOneStillOpens) {
    Pair pair;
    std::optional<Caught> real;
    pair.server.lie = [&](wire::Reply& reply) {
        if (real) return;
        real = caught(reply);
        if (!real) return;
        auto& envelope = *reply.mutable_incoming()->mutable_envelope();
        envelope.back() = static_cast<char>(envelope.back() ^ 1);
    };
    ASSERT_FALSE(pair.bob.join(pair.alice.invite(), "alice"));
    ASSERT_TRUE(pair.world.run([&] { return real.has_value() && pair.alice.engine().idle(); }));
    pair.world.run_for(1000);
    auto& store = pair.alice.store();
    ASSERT_TRUE(real->header.one_time_prekey);
    EXPECT_TRUE(store.prekey(PrekeyKind::one_time, *real->header.one_time_prekey).value());
    EXPECT_TRUE(store.prekey(PrekeyKind::one_time_kem, real->header.kem_prekey).value());
    EXPECT_TRUE(store.contacts()->empty());
    EXPECT_TRUE(store.sessions()->empty());

    slip_in(pair, real->envelope, 1);
    EXPECT_TRUE(pair.world.run([&] { return pair.alice.contact("bob").has_value(); }));
    EXPECT_FALSE(pair.alice.store().prekey(PrekeyKind::one_time, *real->header.one_time_prekey).value());
    EXPECT_FALSE(pair.alice.store().prekey(PrekeyKind::one_time_kem, real->header.kem_prekey).value());
}

TEST(Handshake, ARepeatUnderAnotherEnvelopeIdChangesNothing) {
    Pair pair;
    std::optional<Caught> real;
    pair.server.lie = [&](wire::Reply& reply) {
        if (!real) real = caught(reply);
    };
    pair.befriend();
    pair.world.settle();
    ASSERT_TRUE(real);
    const auto before = pair.alice.store().sessions_of(pair.alice.contact("bob")->id)->size();
    slip_in(pair, real->envelope, 2);
    EXPECT_EQ(pair.alice.store().sessions_of(pair.alice.contact("bob")->id)->size(), before);
    EXPECT_EQ(pair.alice.store().contacts()->size(), 1U);
    // The same handshake part with another message under it is no message of that session either.
    auto bent = real->envelope;
    bent.back() ^= std::byte{1};
    slip_in(pair, bent, 3);
    EXPECT_EQ(pair.alice.store().sessions_of(pair.alice.contact("bob")->id)->size(), before);
    const auto id = pair.bob.send("alice", "still fine");
    EXPECT_TRUE(pair.delivered(pair.bob, "alice", id));
}

TEST(Handshake, GarbageIsSetAsideAndTheServerRidOfIt) {
    Pair pair;
    pair.befriend();
    pair.world.settle();
    pair.alice.forget_notices();
    crypto::SeededRng rng(3);
    unsigned char name = 10;
    for (const std::size_t size : {1UL, 100UL, 160UL, 320UL, 4000UL, 98'304UL}) {
        for (const auto type : {std::byte{0x11}, std::byte{0x12}, std::byte{0x77}}) {
            Bytes garbage(size);
            rng.fill(garbage);
            garbage[0] = type;
            slip_in(pair, garbage, name++);
        }
    }
    EXPECT_TRUE(pair.alice.warnings().empty());
    EXPECT_EQ(pair.alice.store().contacts()->size(), 1U);
    const auto id = pair.bob.send("alice", "still fine");
    EXPECT_TRUE(pair.delivered(pair.bob, "alice", id));
}

TEST(Handshake, AContactWhoLostTheSessionBeginsAnewAndStaysTheSame) {
    Pair pair;
    pair.befriend();
    pair.bob.send("alice", "before");
    pair.world.settle();
    const auto known = pair.alice.contact("bob");
    pair.bob.stop();
    for (const auto& row : take(pair.bob.opened().sessions()))
        ASSERT_TRUE(pair.bob.store().delete_session(row.session.id()));
    pair.bob.start();
    const auto id = pair.bob.send("alice", "after");
    EXPECT_TRUE(pair.delivered(pair.bob, "alice", id));
    EXPECT_EQ(pair.alice.heard("bob"), (std::vector<std::string>{"before", "after"}));
    EXPECT_EQ(pair.alice.contact("bob")->id, known->id);
    EXPECT_EQ(pair.alice.contact("bob")->verified, known->verified);
    EXPECT_TRUE(pair.alice.warnings().empty());
    const auto back = pair.alice.send("bob", "welcome back");
    EXPECT_TRUE(pair.delivered(pair.alice, "bob", back));
    EXPECT_EQ(pair.bob.heard("alice"), std::vector<std::string>{"welcome back"});
}

TEST(Handshake, OldSessionsOfADeviceAreBounded) {
    Pair pair;
    pair.befriend();
    for (int i = 0; i < 8; ++i) {
        pair.world.settle();
        pair.bob.stop();
        const auto contact = pair.bob.contact("alice");
        for (const auto& row : take(pair.bob.store().sessions_of(contact->id)))
            ASSERT_TRUE(pair.bob.store().delete_session(row.session.id()));
        pair.bob.start();
        const auto id = pair.bob.send("alice", std::to_string(i));
        ASSERT_TRUE(pair.delivered(pair.bob, "alice", id));
    }
    EXPECT_EQ(pair.alice.store().sessions_of(pair.alice.contact("bob")->id)->size(), 5U);
}

TEST(Handshake, AnotherKeyUnderAContactsNameIsExitFourOnceItsServerConfirmsIt) {
    Pair pair;
    pair.befriend();
    pair.world.settle();
    pair.bob.stop();
    // The account is gone, and somebody registers the name anew.
    ASSERT_TRUE(pair.server.database().execute("DELETE FROM accounts WHERE user = 'bob'"));
    auto& other_host = pair.world.add_server("other.example");
    auto& impostor = pair.world.add_new("bob", other_host);
    impostor.settle_at(pair.server);
    impostor.init();
    impostor.start();
    ASSERT_FALSE(impostor.join(pair.alice.invite(), "alice"));
    ASSERT_TRUE(pair.world.run([&] { return pair.alice.contact("bob")->state == ContactState::changed; }));
    EXPECT_TRUE(pair.alice.warned(Exit::untrusted));
    EXPECT_EQ(pair.alice.contact("bob")->verified, storage::Verified::no);
    const auto refused = pair.alice.try_send("bob", "for your eyes only");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().exit, Exit::untrusted);
    EXPECT_EQ(pair.alice.store().sessions_of(pair.alice.contact("bob")->id)->size(), 1U);
}

TEST(Handshake, ANameThatSomebodyOnlyClaimsIsExitFourButSilencesNobody) {
    Pair pair;
    pair.befriend();
    pair.world.settle();
    auto& evil = pair.world.add_server("evil.example");
    evil.change_policy([](auto& policy) { policy.server_name = "one.example"; });
    evil.kill();
    evil.restart();
    auto& mallory = pair.world.add("bob", evil);
    const auto link = pair.alice.invite();
    mallory.stop();
    auto identity = take(mallory.opened().identity());
    identity->server_host = pair.server.endpoint().host;
    identity->server_pin = pair.server.endpoint().pin;
    ASSERT_TRUE(mallory.store().put_identity(*identity));
    mallory.start_sending();
    ASSERT_FALSE(mallory.join(link, "alice"));
    ASSERT_TRUE(pair.world.run([&] { return pair.alice.warned(Exit::untrusted); }));
    pair.world.run_for(10'000);
    EXPECT_TRUE(Pair::confirmed(pair.alice, "bob"));
    const auto id = pair.alice.send("bob", "still you");
    EXPECT_TRUE(pair.delivered(pair.alice, "bob", id));
}

TEST(Handshake, AStrangerWithoutALinkIsSetAsideSilently) {
    Pair pair;
    pair.befriend();
    pair.world.settle();
    pair.alice.forget_notices();
    // Alice has removed Bob; he still holds her shared token.
    ASSERT_TRUE(pair.alice.store().remove_contact(pair.alice.contact("bob")->id));
    pair.alice.stop();
    pair.alice.start();
    ASSERT_TRUE(pair.world.run([&] { return pair.alice.engine().tokens_published(); }));
    pair.bob.stop();
    for (const auto& row : take(pair.bob.opened().sessions()))
        ASSERT_TRUE(pair.bob.store().delete_session(row.session.id()));
    pair.bob.start();
    pair.bob.send("alice", "remember me?");
    ASSERT_TRUE(pair.world.run([&] { return pair.bob.store().outbox_size().value() == 0; }));
    ASSERT_TRUE(pair.world.settle());
    EXPECT_TRUE(pair.alice.store().contacts()->empty());
    EXPECT_TRUE(pair.alice.warnings().empty());
}

TEST(Handshake, AServerThatHandsOutItsOwnPrekeysIsCaught) {
    Pair pair;
    auto& mallory = pair.world.add("mallory", pair.server);
    std::string forged;
    pair.server.lie = [&](wire::Reply& reply) {
        if (!reply.has_prekeys()) return;
        if (forged.empty())
            forged = reply.prekeys().kem_prekey();
        else
            reply.mutable_prekeys()->set_kem_prekey(forged);
    };
    ASSERT_FALSE(pair.bob.join(mallory.invite(), "mallory"));
    ASSERT_TRUE(pair.world.run([&] { return Pair::confirmed(pair.bob, "mallory"); }));
    ASSERT_FALSE(pair.bob.join(pair.alice.invite(), "alice"));
    ASSERT_TRUE(pair.world.run([&] { return pair.bob.warned(Exit::untrusted); }));
    EXPECT_TRUE(pair.bob.store().sessions_of(pair.bob.contact("alice")->id)->empty());
    EXPECT_FALSE(pair.alice.contact("bob"));
    // Once the server is honest again, the introduction leaves by itself.
    pair.server.lie = nullptr;
    EXPECT_TRUE(pair.world.run([&] { return Pair::confirmed(pair.bob, "alice"); }, 10 * 60'000));
}

}  // namespace
}  // namespace sotto::client::test
