// Misbinding, impersonation, downgrade, and what is old.
#include "attacks.hpp"
#include "forge.hpp"
#include "vectors.hpp"

namespace sotto::audit {

using namespace crypto;  // NOLINT(google-build-using-namespace)

namespace {

struct Two {
    SystemRng rng;
    Person alice{"alice@chat.example", rng};
    Person bob{"bob@chat.example", rng, 7};
    [[nodiscard]] Bytes hello() {
        return End{must(begin(alice, bob.bundle()), "beginning"), rng}.seal("hello");
    }
};

}  // namespace

void attack_misbinding(Check& check) {
    Two two;
    // Bob has two devices that even share their keys.
    auto body = two.bob.record.body();
    auto second = body.devices.front();
    second.id = 8;
    body.devices.push_back(second);
    two.bob.sign_again(body);
    const auto record = two.bob.record;
    const auto envelope = two.hello();

    const Person carol{"carol@chat.example", two.rng, 7};
    check.expect(!answer(carol, envelope), "to another recipient");
    two.bob.device = 8;
    check.expect(!answer(two.bob, envelope), "to another device with the same keys");
    two.bob.device = 7;
    auto moved = body;
    moved.address = must(Address::parse("bob@other.example"), "parsing");
    two.bob.sign_again(moved);
    check.expect(!answer(two.bob, envelope), "on another server");
    two.bob.record = record;

    // Unknown key share: Mallory's record names Alice's identity key as her own device's.
    Person mallory{"mallory@chat.example", two.rng};
    auto stolen = mallory.record.body();
    stolen.devices.front().identity_key = two.alice.identity.public_key();
    mallory.sign_again(stolen);
    const auto session = begin(mallory, two.bob.bundle());
    check.expect(!session && session.error() == Error::mismatch, "a key that one doesn't hold can't be used");
    check.expect(!answer(two.bob, impersonate({mallory.record, 1, two.bob, true, false}, two.rng)),
                 "nor by a program that skips that check");
    const auto accepted = answer(two.bob, envelope);
    check.expect(accepted && accepted->initiator.hash() == two.alice.record.hash(), "the message is Alice's");
}

void attack_key_compromise(Check& check) {
    Two two;
    for (int i = 0; i < 10; ++i) {
        const auto with_nothing = impersonate({two.alice.record, 1, two.bob, false, false}, two.rng);
        check.expect(!answer(two.bob, with_nothing), "with public keys alone");
        const auto with_identity = impersonate({two.alice.record, 1, two.bob, true, false}, two.rng);
        check.expect(!answer(two.bob, with_identity), "with the secret of Bob's identity key");
    }
    const auto residual = impersonate({two.alice.record, 1, two.bob, true, true}, two.rng);
    check.expect(answer(two.bob, residual).has_value(),
                 "with the signed prekey's secret as well it works, as the threat model says");
}

namespace {

/// The same on the ratchet's post-quantum epochs: Alice's next message carries her key for the first.
void attack_epoch_downgrade(Check& check) {
    SystemRng rng;
    Conversation c{rng, Begun::answered};
    const auto offer = c.alice.seal("x");
    check.expect(offer.size() > kem_public_key_size, "the key is on its way");
    for (std::size_t at = 0; at < offer.size(); at += 3)
        check.expect(c.bob.refuses(flipped(offer, at, static_cast<unsigned>(at % 8))),
                     "a changed byte of it");
    for (std::size_t size = 160; size < offer.size(); size += 160)
        check.expect(c.bob.refuses(ByteView{offer}.first(size)), "the frame cut off");
    auto zeroed = offer;
    std::fill(zeroed.begin() + 200, zeroed.end() - 16, std::byte{0});
    check.expect(c.bob.refuses(zeroed), "the frame zeroed");
    for (const std::uint32_t epoch : {1U, 2U, 0xffffffffU})
        check.expect(c.bob.refuses(with_header(c.alice.session(), "x", {.epoch = epoch}, rng)),
                     "an epoch that was never agreed on");
    check.expect(c.bob.hears(offer, "x"), "the offer arrives");
    check.expect(c.alice.hears(c.bob.seal("y"), "y") && c.round_trip() && c.alice.session().epoch() == 1,
                 "and the epoch begins");
    for (const std::uint32_t epoch : {0U, 2U, 3U})
        check.expect(c.bob.refuses(with_header(c.alice.session(), "x", {.epoch = epoch}, rng)),
                     "nobody goes back, or ahead");
}

}  // namespace

void attack_post_quantum_downgrade(Check& check) {
    Two two;
    const auto envelope = two.hello();
    const auto part = Envelope::parse(envelope)->prefix().size();
    constexpr std::size_t ciphertext_at = 3 + 21 + 33;
    auto zeroed = envelope;
    std::fill_n(zeroed.begin() + ciphertext_at + 1, kem_ciphertext_size, std::byte{0});
    check.expect(!answer(two.bob, zeroed), "the KEM ciphertext zeroed");
    auto untyped = envelope;
    untyped[ciphertext_at] = std::byte{0};
    check.expect(!answer(two.bob, untyped), "its type zeroed");
    auto stripped = envelope;
    stripped.erase(stripped.begin() + ciphertext_at, stripped.begin() + ciphertext_at + 1089);
    check.expect(!answer(two.bob, stripped), "the ciphertext cut out");
    const auto size = part - 3 - 1089;
    stripped[1] = static_cast<std::byte>(size >> 8);
    stripped[2] = static_cast<std::byte>(size & 0xff);
    check.expect(!answer(two.bob, stripped), "and the length put right");
    for (unsigned flags = 0; flags < 256; ++flags) {
        auto other = envelope;
        other[3] = static_cast<std::byte>(flags);
        check.expect(answer(two.bob, other).has_value() == (flags == 3), "other flags");
    }
    auto bundle = two.bob.bundle();
    auto raw = bundle.kem_prekey.encode();
    std::fill(raw.begin() + 10, raw.begin() + 10 + 1184, std::byte{0});
    const auto zero_key = KemPrekey::decode(raw);
    if (zero_key) bundle.kem_prekey = *zero_key;
    check.expect(!zero_key || !begin(two.alice, bundle), "a zeroed KEM prekey");
    check.expect(answer(two.bob, envelope).has_value(), "the whole one opens");
    // Every agreement of X25519 broken, the KEM's secret not known: nobody gets in.
    check.expect(
        answer(two.bob, impersonate({two.alice.record, 1, two.bob, true, true, true}, two.rng)).has_value(),
        "with all secrets one gets in");
    check.expect(!answer(two.bob, impersonate({two.alice.record, 1, two.bob, true, true, false}, two.rng)),
                 "without the KEM's secret nobody does");

    attack_epoch_downgrade(check);
}

void attack_old_data(Check& check) {
    Two two;
    const auto first = two.bob.record;
    auto body = first.body();
    body.sequence = 2;
    body.previous = first.hash();
    two.bob.sign_again(body);
    const auto second = two.bob.record;
    check.expect(compare(first, second) == RecordChange::successor, "a newer record is followed");
    check.expect(compare(second, first) == RecordChange::older, "an older one is refused");
    check.expect(compare(second, second) == RecordChange::same, "the same one is the same");
    body.day += 1;
    two.bob.sign_again(body);
    check.expect(compare(second, two.bob.record) == RecordChange::conflict, "two of one number");
    body.sequence = 3;
    body.previous[0] ^= std::byte{1};
    two.bob.sign_again(body);
    check.expect(compare(second, two.bob.record) == RecordChange::conflict, "a wrong link");
    body.sequence = 4;
    two.bob.sign_again(body);
    check.expect(compare(second, two.bob.record) == RecordChange::gap, "a missing link");

    two.bob.record = second;
    for (const std::uint32_t age : {61U, 90U, 365U, 19'999U}) {
        const auto session = begin(two.alice, two.bob.bundle(true, today - age));
        check.expect(!session && session.error() == Error::stale, "an old signed prekey");
    }
    // A prekey that was signed under a newer record than the one that the server shows: a record held back.
    auto bundle = two.bob.bundle();
    bundle.record = first;
    check.expect(!begin(two.alice, bundle), "a record that is held back");
    check.not_yet("presence blobs", "there is no presence in this version");
}

void attack_servers_prekeys(Check& check) {
    Two two;
    const auto refused = [&](const PrekeyBundle& bundle, std::string_view what) {
        check.expect(!begin(two.alice, bundle), what);
    };
    const Person server{"bob@chat.example", two.rng, 7};
    auto bundle = two.bob.bundle();
    bundle.kem_prekey = server.bundle().kem_prekey;
    refused(bundle, "the server's own KEM prekey");
    bundle = two.bob.bundle();
    bundle.signed_prekey = server.bundle().signed_prekey;
    refused(bundle, "the server's own signed prekey");
    bundle = two.bob.bundle();
    bundle.kem_prekey.day = 0;
    refused(bundle, "a day that was changed");
    bundle = two.bob.bundle();
    bundle.signed_prekey.id += 1;
    refused(bundle, "an id that was changed");
    bundle = two.bob.bundle();
    bundle.device = 8;
    refused(bundle, "a device that isn't in the record");
    // One-time X25519 keys are not signed: the server's own costs a delivery and nothing more.
    bundle = two.bob.bundle();
    bundle.one_time_prekey = server.bundle().one_time_prekey;
    auto session = must(begin(two.alice, bundle), "beginning");
    check.expect(!answer(two.bob, End{std::move(session), two.rng}.seal("hello")),
                 "the server's own one-time key opens nothing");
    const auto marked = begin(two.alice, two.bob.bundle(true, today - signed_prekey_old_days - 1));
    check.expect(marked && marked->weak_start(), "a signed prekey of 15 days is marked");
    const auto fresh = begin(two.alice, two.bob.bundle(true, today - signed_prekey_old_days));
    check.expect(fresh && !fresh->weak_start(), "one of 14 days is not");
}

}  // namespace sotto::audit
