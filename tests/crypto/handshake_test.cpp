#include "aead.hpp"
#include "handshake_part.hpp"
#include "key_schedule.hpp"
#include "people.hpp"

namespace sotto::crypto::test {
namespace {

class Handshake : public testing::Test {
  protected:
    Bytes hello(bool one_time = true) {
        session = start(a, b, nullptr, one_time).value();
        auto sealed = session->seal(text("hello"), now_ms, a.rng).value();
        session = std::move(sealed.next);
        return std::move(sealed.envelope);
    }
    /// Alice's first envelope made for a bundle that was tampered with after its checks would have passed.
    Result<Accepted> answer_to(const PrekeyBundle& bundle) {
        auto made = initiate(a.local(), bundle, nullptr, today, a.rng).value();
        return answer(b, made.seal(text("hello"), now_ms, a.rng)->envelope);
    }
    template <class T>
    static void expect_refused(const Result<T>& result, Error error = Error::cannot_open) {
        ASSERT_FALSE(result.has_value());
        EXPECT_EQ(name(result.error()), name(error));
    }

    Person a = alice();
    Person b = bob();
    std::optional<Session> session;
};

TEST_F(Handshake, BothSidesShareASession) {
    const auto envelope = hello();
    const auto accepted = answer(b, envelope).value();
    EXPECT_EQ(words(accepted.first.content), "hello");
    EXPECT_EQ(accepted.initiator.hash(), a.record.hash());
    EXPECT_EQ(accepted.device, a.device);
    EXPECT_EQ(accepted.first.next.id(), session->id());
    EXPECT_TRUE(session->initiator());
    EXPECT_FALSE(accepted.first.next.initiator());
    EXPECT_FALSE(session->weak_start());
    EXPECT_FALSE(accepted.first.next.weak_start());
    EXPECT_FALSE(accepted.first.late);
    EXPECT_FALSE(accepted.first.used.has_value());
    EXPECT_TRUE(accepted.first.kept.empty());
}

TEST_F(Handshake, WorksWithoutOneTimeKeysAndSaysSo) {
    const auto envelope = hello(false);
    EXPECT_TRUE(session->weak_start());
    const auto accepted = answer(b, envelope).value();
    EXPECT_EQ(words(accepted.first.content), "hello");
    EXPECT_TRUE(accepted.first.next.weak_start());
}

TEST_F(Handshake, AnOldSignedPrekeyMakesAWeakStart) {
    EXPECT_FALSE(initiate(a.local(), b.bundle(true, today - 14), nullptr, today, a.rng)->weak_start());
    EXPECT_TRUE(initiate(a.local(), b.bundle(true, today - 15), nullptr, today, a.rng)->weak_start());
    EXPECT_FALSE(initiate(a.local(), b.bundle(true, today + 2), nullptr, today, a.rng)->weak_start());
    expect_refused(initiate(a.local(), b.bundle(true, today - 61), nullptr, today, a.rng), Error::stale);
}

TEST_F(Handshake, HeaderNamesTheKeysThatAreNeeded) {
    const auto envelope = hello();
    const auto header = parse_handshake(Envelope::parse(envelope).value()).value();
    EXPECT_EQ(header.signed_prekey, 11U);
    EXPECT_EQ(header.one_time_prekey, 22U);
    EXPECT_EQ(header.kem_kind, KemPrekeyKind::one_time);
    EXPECT_EQ(header.kem_prekey, 33U);
    EXPECT_EQ(header.record_sequence, 1U);

    const auto without = hello(false);
    const auto weak = parse_handshake(Envelope::parse(without).value()).value();
    EXPECT_FALSE(weak.one_time_prekey.has_value());
    EXPECT_EQ(weak.kem_kind, KemPrekeyKind::last_resort);
    EXPECT_NE(weak.replay_id, header.replay_id);
}

TEST_F(Handshake, ReplayIdStaysTheSameWhileThePartIsRepeated) {
    const auto first = hello();
    const auto second = session->seal(text("again"), now_ms, a.rng)->envelope;
    const auto one = parse_handshake(Envelope::parse(first).value()).value();
    const auto two = parse_handshake(Envelope::parse(second).value()).value();
    EXPECT_EQ(one.replay_id, two.replay_id);
    EXPECT_EQ(one.base_key, two.base_key);
    EXPECT_NE(first, second);
}

TEST_F(Handshake, PartIsRepeatedUntilTheFirstReply) {
    End alice_end{start(a, b).value(), 1};
    EXPECT_TRUE(alice_end.session().awaiting_reply());
    const auto first = alice_end.seal("one");
    const auto second = alice_end.seal("two");
    EXPECT_EQ(first[0], std::byte{envelope_handshake});
    EXPECT_EQ(second[0], std::byte{envelope_handshake});

    End bob_end{answer(b, first).value().first, 2};
    EXPECT_FALSE(bob_end.session().awaiting_reply());
    EXPECT_EQ(bob_end.open(second).value(), "two") << "a repeat is an ordinary message of the session";
    EXPECT_EQ(alice_end.open(bob_end.seal("reply")).value(), "reply");
    EXPECT_FALSE(alice_end.session().awaiting_reply());
    const auto third = alice_end.seal("three");
    EXPECT_EQ(third[0], std::byte{envelope_message});
    EXPECT_EQ(bob_end.open(third).value(), "three");
}

TEST_F(Handshake, AnyMessageOfTheFirstChainCanBeTheFirstToCome) {
    End alice_end{start(a, b).value(), 1};
    const auto one = alice_end.seal("one");
    const auto two = alice_end.seal("two");
    const auto three = alice_end.seal("three");
    auto accepted = answer(b, three).value();
    EXPECT_EQ(words(accepted.first.content), "three");
    EXPECT_EQ(accepted.first.kept.size(), 2U);
    End bob_end{std::move(accepted.first), 2};
    EXPECT_EQ(bob_end.open(one).value(), "one");
    EXPECT_TRUE(bob_end.late);
    EXPECT_EQ(bob_end.open(two).value(), "two");
    EXPECT_EQ(bob_end.open(one).error(), Error::duplicate);
}

TEST_F(Handshake, FirstMessagesThatCrossBothArrive) {
    End alice_end{start(a, b).value(), 1};
    End bob_own{start(b, a).value(), 2};
    End bob_end{answer(b, alice_end.seal("from alice")).value().first, 3};
    End alice_other{answer(a, bob_own.seal("from bob")).value().first, 4};
    EXPECT_NE(alice_end.session().id(), bob_own.session().id());
    EXPECT_EQ(alice_end.open(bob_end.seal("1")).value(), "1");
    EXPECT_EQ(bob_own.open(alice_other.seal("2")).value(), "2");
}

// ---- misuse and tampering ----

TEST_F(Handshake, EveryChangedByteOfTheFirstEnvelopeIsRefused) {
    const auto envelope = hello();
    for (std::size_t i = 0; i < envelope.size(); ++i) {
        // The middle of the KEM ciphertext, one byte in eight: each costs a decapsulation.
        if (i > 80 && i < 1100 && i % 8 != 0) continue;
        auto changed = envelope;
        changed[i] ^= std::byte{1};
        EXPECT_FALSE(answer(b, changed).has_value()) << i;
    }
}

TEST_F(Handshake, EveryShorterFirstEnvelopeIsRefused) {
    const auto envelope = hello();
    for (std::size_t size = 0; size < envelope.size(); size += size < 1200 || size > 1600 ? 1 : 7)
        EXPECT_FALSE(answer(b, ByteView{envelope}.first(size)).has_value()) << size;
    auto longer = envelope;
    longer.push_back(std::byte{0});
    EXPECT_FALSE(answer(b, longer).has_value());
}

TEST_F(Handshake, AnotherRecipientCanNotOpenIt) {
    const auto envelope = hello();
    Person carol{"carol@chat.example", 5, 7};
    expect_refused(answer(carol, envelope));
}

TEST_F(Handshake, AnotherDeviceOfTheRecipientCanNotOpenIt) {
    // Same account and even the same keys, but another device id: the transcripts differ.
    auto body = b.record.body();
    auto second = body.devices[0];
    second.id = 8;
    body.devices.push_back(second);
    b.record = AccountRecord::sign(body, b.account).value();
    const auto envelope = hello();
    EXPECT_TRUE(answer(b, envelope).has_value());
    b.device = 8;
    expect_refused(answer(b, envelope));
}

TEST_F(Handshake, AnotherServerCanNotOpenIt) {
    const auto envelope = hello();
    b.record = AccountRecord::sign(b.body("bob@other.example"), b.account).value();
    expect_refused(answer(b, envelope));
}

TEST_F(Handshake, AnotherRecordOfTheRecipientIsRefused) {
    const auto envelope = hello();
    auto body = b.record.body();
    body.day += 1;
    b.record = AccountRecord::sign(body, b.account).value();
    expect_refused(answer(b, envelope));

    body.sequence = 2;
    body.previous = b.record.hash();
    b.record = AccountRecord::sign(body, b.account).value();
    expect_refused(answer(b, envelope), Error::mismatch);
}

TEST_F(Handshake, NobodyPosesAsAliceWithoutHerIdentityKey) {
    // Mallory has Bob's long-term identity secret and Alice's record, but no identity key of Alice's.
    SeededRng rng{66};
    const auto own = IdentityKeyPair::generate(rng);
    const LocalDevice mallory{a.record, a.device, own};
    expect_refused(initiate(mallory, b.bundle(), nullptr, today, rng), Error::mismatch);
}

TEST_F(Handshake, OwnDeviceMustBeInOwnRecord) {
    const LocalDevice unknown{a.record, 99, a.identity};
    expect_refused(initiate(unknown, b.bundle(), nullptr, today, a.rng), Error::mismatch);
    const auto envelope = hello();
    const auto parsed = Envelope::parse(envelope).value();
    const auto header = parse_handshake(parsed).value();
    const LocalDevice wrong{b.record, 99, b.identity};
    expect_refused(accept(wrong, b.responder_keys(header), parsed, now_ms, b.rng), Error::mismatch);
}

TEST_F(Handshake, NoDeviceTalksToItself) {
    expect_refused(initiate(a.local(), a.bundle(), nullptr, today, a.rng), Error::mismatch);
}

TEST_F(Handshake, OwnOtherDeviceIsAPeerLikeAnyOther) {
    Person second{"alice@chat.example", 77, 2};
    EXPECT_EQ(
        words(answer(second, start(a, second)->seal(text("copy"), now_ms, a.rng)->envelope)->first.content),
        "copy");
}

TEST_F(Handshake, NoCommonVersionIsUnsupported) {
    auto body = b.record.body();
    body.devices[0].versions = {2, 3};
    b.record = AccountRecord::sign(body, b.account).value();
    expect_refused(initiate(a.local(), b.bundle(), nullptr, today, a.rng), Error::unsupported);
    body.devices[0].versions = {1, 2, 3};
    b.record = AccountRecord::sign(body, b.account).value();
    EXPECT_TRUE(answer(b, hello()).has_value());
}

TEST_F(Handshake, BadBundlesAreRefused) {
    auto bundle = b.bundle();
    bundle.kem_prekey.signature[0] ^= std::byte{1};
    expect_refused(initiate(a.local(), bundle, nullptr, today, a.rng), Error::bad_signature);
}

TEST_F(Handshake, WrongSecretsOpenNothing) {
    const auto envelope = hello();
    const auto parsed = Envelope::parse(envelope).value();
    SeededRng rng{8};
    const auto signed_prekey = SignedPrekeyPair::generate(rng);
    const auto one_time = OneTimePrekeyPair::generate(rng);
    const auto kem = KemKeyPair::generate(rng);
    const auto try_with = [&](const ResponderKeys& keys) {
        return accept(b.local(), keys, parsed, now_ms, b.rng);
    };
    expect_refused(try_with({signed_prekey, &b.one_time, b.kem_one_time}));
    expect_refused(try_with({b.signed_prekey, &one_time, b.kem_one_time}));
    expect_refused(try_with({b.signed_prekey, &b.one_time, kem}));
    expect_refused(try_with({b.signed_prekey, nullptr, b.kem_one_time}), Error::mismatch);
    EXPECT_TRUE(try_with({b.signed_prekey, &b.one_time, b.kem_one_time}).has_value());
}

TEST_F(Handshake, OneTimeKeyForNoneNamedIsRefused) {
    const auto envelope = hello(false);
    const auto parsed = Envelope::parse(envelope).value();
    expect_refused(accept(b.local(), {b.signed_prekey, &b.one_time, b.kem_last}, parsed, now_ms, b.rng),
                   Error::mismatch);
}

TEST_F(Handshake, AServersOneTimeKeyOpensNothing) {
    // One-time X25519 keys are not signed; a server's own costs a delivery and nothing more.
    auto bundle = b.bundle();
    bundle.one_time_prekey->key = OneTimePrekeyPair::generate(a.rng).public_key();
    expect_refused(answer_to(bundle));
    EXPECT_TRUE(answer_to(b.bundle()).has_value());
}

TEST_F(Handshake, EveryFieldOfTheTranscriptCounts) {
    // The same secrets under another id or kind: what B looks up is what A must have named.
    const auto envelope = hello();
    const auto good = Envelope::parse(envelope).value();
    const auto part_size = good.handshake().size();
    for (const std::size_t offset : {0U, 4U, 8U, 12U, 20U, 30U, 60U}) {
        auto changed = envelope;
        ASSERT_LT(offset, part_size);
        changed[3 + offset] ^= std::byte{2};
        EXPECT_FALSE(answer(b, changed).has_value()) << offset;
    }
}

TEST_F(Handshake, AStrippedPartOpensNothing) {
    const auto envelope = hello();
    const auto parsed = Envelope::parse(envelope).value();
    Bytes stripped{std::byte{envelope_message}};
    const ByteView all{envelope};
    const auto rest = all.subspan(parsed.prefix().size());
    stripped.insert(stripped.end(), rest.begin(), rest.end());
    EXPECT_EQ(answer(b, stripped).error(), Error::malformed) << "there is no handshake to answer";

    End bob_end{answer(b, envelope).value().first, 2};
    const auto second = session->seal(text("two"), now_ms, a.rng)->envelope;
    const auto second_parsed = Envelope::parse(second).value();
    Bytes second_stripped{std::byte{envelope_message}};
    const auto second_rest = ByteView{second}.subspan(second_parsed.prefix().size());
    second_stripped.insert(second_stripped.end(), second_rest.begin(), second_rest.end());
    EXPECT_EQ(bob_end.open(second_stripped).error(), Error::cannot_open) << "the header names the part";
    EXPECT_EQ(bob_end.open(second).value(), "two");
}

TEST_F(Handshake, APartMovedToAnotherMessageOpensNothing) {
    const auto one = hello();
    const auto one_part = Envelope::parse(one)->prefix();
    const auto two = hello();
    const auto two_parsed = Envelope::parse(two).value();
    Bytes mixed = to_bytes(one_part);
    const auto rest = ByteView{two}.subspan(two_parsed.prefix().size());
    mixed.insert(mixed.end(), rest.begin(), rest.end());
    expect_refused(answer(b, mixed));
}

TEST_F(Handshake, AMessageWithoutAPartHasNoHeader) {
    Conversation c;
    const auto envelope = c.alice_end.seal("x");
    const auto parsed = Envelope::parse(envelope).value();
    EXPECT_EQ(parse_handshake(parsed).error(), Error::malformed);
    const auto first = hello();
    const auto header = parse_handshake(Envelope::parse(first).value()).value();
    expect_refused(accept(b.local(), b.responder_keys(header), parsed, now_ms, b.rng), Error::malformed);
}

TEST_F(Handshake, RefusesMalformedClearFields) {
    const auto envelope = hello();
    const auto part = to_bytes(Envelope::parse(envelope)->handshake());
    const auto refused = [&](std::size_t offset, ByteView value) {
        auto changed = part;
        std::ranges::copy(value, changed.begin() + static_cast<std::ptrdiff_t>(offset));
        const auto parsed = parse_handshake_part(changed);
        return parsed ? "accepted" : name(parsed.error());
    };
    const Bytes zeros(32);
    const auto u8 = [](unsigned v) { return Bytes{static_cast<std::byte>(v)}; };
    EXPECT_EQ(refused(0, u8(0x07)), "malformed") << "an unknown flag";
    EXPECT_EQ(refused(0, u8(0x02)), "malformed") << "a one-time id without its flag";
    EXPECT_EQ(refused(1, ByteView{zeros}.first(4)), "malformed") << "signed prekey 0";
    EXPECT_EQ(refused(5, ByteView{zeros}.first(4)), "malformed") << "one-time prekey 0 with its flag";
    EXPECT_EQ(refused(9, ByteView{zeros}.first(4)), "malformed") << "KEM prekey 0";
    EXPECT_EQ(refused(13, ByteView{zeros}.first(8)), "malformed") << "record 0";
    EXPECT_EQ(refused(21, u8(1)), "bad key") << "the base key's type";
    EXPECT_EQ(refused(22, zeros), "bad key") << "the base key of low order";
    EXPECT_EQ(refused(54, u8(3)), "bad key") << "a key where the ciphertext should be";
    EXPECT_EQ(refused(handshake_clear_size, u8(0xff)), "malformed") << "a length past the end";
    EXPECT_TRUE(parse_handshake_part(part).has_value());
    EXPECT_FALSE(parse_handshake_part(ByteView{part}.first(part.size() - 1)).has_value());
}

// ---- the sealed identity ----

class SealedIdentity : public Handshake {
  protected:
    /// A part whose identity has been written by hand.
    Result<Identity> open_written(Bytes identity, std::size_t pad_to) {
        const HandshakeKey key;
        identity.resize(pad_to);
        const auto base = EphemeralKeyPair::generate(a.rng);
        auto kem = b.kem_one_time.public_key().encapsulate(a.rng).value();
        HandshakeHeader header;
        header.signed_prekey = 1;
        header.kem_prekey = 1;
        header.record_sequence = 1;
        auto part = encode_handshake_clear(header, base.public_key(), kem.ciphertext);
        SecretBytes plain = to_secret_bytes(identity);
        plain.resize(plain.size() + 16);
        Writer{part}.u16(static_cast<std::uint16_t>(plain.size()));
        seal_once(key.expose(), part, plain);
        Writer{part}.raw(plain);
        const auto parsed = parse_handshake_part(part);
        if (!parsed) return std::unexpected(parsed.error());
        return open_identity(*parsed, key);
    }
    [[nodiscard]] Bytes identity(std::uint8_t invite = 0) const {
        Bytes out;
        Writer w{out};
        w.u32(a.device);
        w.u8(invite);
        w.u16(static_cast<std::uint16_t>(a.record.bytes().size()));
        w.raw(a.record.bytes());
        return out;
    }
};

TEST_F(SealedIdentity, OpensWhenWellFormed) {
    const auto opened = open_written(identity(), identity_step).value();
    EXPECT_EQ(opened.device, a.device);
    EXPECT_EQ(opened.record.hash(), a.record.hash());
}

TEST_F(SealedIdentity, MustBePaddedToItsStep) {
    expect_refused(open_written(identity(), identity_step - 1), Error::malformed);
    expect_refused(open_written(identity(), identity_step + 1), Error::malformed);
    expect_refused(open_written(identity(), 2 * identity_step));
}

TEST_F(SealedIdentity, PaddingMustBeZero) {
    auto bytes = identity();
    bytes.resize(identity_step);
    bytes.back() = std::byte{1};
    expect_refused(open_written(bytes, identity_step));
}

TEST_F(SealedIdentity, RefusesAnotherInviteByteAndBrokenRecords) {
    expect_refused(open_written(identity(2), identity_step));
    auto broken = identity();
    broken[20] ^= std::byte{1};
    expect_refused(open_written(broken, identity_step));
    auto too_long = identity();
    too_long[5] = std::byte{0xff};
    expect_refused(open_written(too_long, identity_step));
}

TEST_F(SealedIdentity, ItsLengthDoesNotTellTheName) {
    Person longer{"somebody.with.a.long.name@a.server.with.a.long.name.example", 9};
    EXPECT_EQ(start(a, b)->seal(text("x"), now_ms, a.rng)->envelope.size(),
              start(longer, b)->seal(text("x"), now_ms, longer.rng)->envelope.size());
}

/// An initiator that seals whatever identity it likes, under the right key.
class HostileIdentity : public SealedIdentity {
  protected:
    Result<Accepted> answer_to_identity(std::uint32_t device, const AccountRecord& record) {
        const auto base = EphemeralKeyPair::generate(a.rng);
        auto kem = b.kem_last.public_key().encapsulate(a.rng).value();
        HandshakeHeader header;
        header.signed_prekey = 11;
        header.kem_prekey = 44;
        header.record_sequence = 1;
        auto part = encode_handshake_clear(header, base.public_key(), kem.ciphertext);
        Agreements agreements;
        EXPECT_TRUE(base.agree(b.identity.public_key(), agreements.dh2.writable()));
        EXPECT_TRUE(base.agree(b.signed_prekey.public_key(), agreements.dh3.writable()));
        agreements.shared = std::move(kem.shared);
        const auto key = identity_key_of(agreements, part);
        append_identity(part, key, device, std::nullopt, record);
        EXPECT_TRUE(open_identity(parse_handshake_part(part).value(), key).has_value());

        Bytes envelope(3 + part.size());
        envelope[0] = std::byte{envelope_handshake};
        envelope[1] = static_cast<std::byte>(part.size() >> 8U);
        envelope[2] = static_cast<std::byte>(part.size() & 0xffU);
        std::ranges::copy(part, envelope.begin() + 3);
        envelope.resize(envelope.size() + 160);
        return answer(b, envelope);
    }
};

TEST_F(HostileIdentity, ADeviceThatIsNotInTheRecordIsRefused) {
    expect_refused(answer_to_identity(99, a.record));
}

TEST_F(HostileIdentity, TheRecipientsOwnDeviceIsRefused) {
    expect_refused(answer_to_identity(b.device, b.record));
}

TEST_F(HostileIdentity, ADeviceWithoutACommonVersionIsRefused) {
    auto body = a.record.body();
    body.devices[0].versions = {2};
    expect_refused(answer_to_identity(a.device, AccountRecord::sign(body, a.account).value()));
}

TEST_F(HostileIdentity, AnothersRecordWithoutItsKeyOpensNothing) {
    // Unknown key share: the record is Carol's own, but nobody here holds her identity key.
    const Person carol{"carol@chat.example", 12};
    expect_refused(answer_to_identity(carol.device, carol.record));
}

TEST_F(SealedIdentity, TheLargestRecordFits) {
    auto body = a.record.body();
    body.extensions = {{1, Bytes(max_record_size - a.record.bytes().size() - 4)}};
    a.record = AccountRecord::sign(body, a.account).value();
    ASSERT_EQ(a.record.bytes().size(), max_record_size);
    SeededRng rng{1};
    const auto invite = rng.secret<InviteSecret>();
    auto made = start(a, b, &invite).value();
    const auto sealed = made.seal(Bytes(max_content_size), now_ms, a.rng).value();
    EXPECT_LE(sealed.envelope.size(), max_envelope_size);
    EXPECT_EQ(answer(b, sealed.envelope)->first.content.size(), max_content_size);
}

}  // namespace
}  // namespace sotto::crypto::test
