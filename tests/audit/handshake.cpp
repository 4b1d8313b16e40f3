// The handshake through its public headers.
#include "groups.hpp"
#include "people.hpp"
#include "vectors.hpp"

namespace sotto::audit {
namespace {

using namespace crypto;  // NOLINT(google-build-using-namespace)

struct Two {
    SystemRng rng;
    Person alice{"alice@chat.example", rng};
    Person bob{"bob@chat.example", rng, 7};

    [[nodiscard]] Session begun(bool one_time_keys = true) {
        return must(begin(alice, bob.bundle(one_time_keys)), "beginning a session");
    }
    [[nodiscard]] Bytes hello(bool one_time_keys = true) {
        return End{begun(one_time_keys), rng}.seal("hello");
    }
    [[nodiscard]] bool hears(const Person& self, ByteView envelope) {
        const auto accepted = answer(self, envelope);
        return accepted && chars_of(accepted->first.content) == "hello";
    }
};

void both_sides_agree(Check& check) {
    for (const bool one_time_keys : {true, false}) {
        Two two;
        End alice{two.begun(one_time_keys), two.rng};
        const auto accepted = must(answer(two.bob, alice.seal("hello")), "answering");
        check.expect(chars_of(accepted.first.content) == "hello", "the first message is read");
        check.expect(accepted.first.next.id() == alice.session().id(), "both have one session id");
        check.expect(accepted.initiator.hash() == two.alice.record.hash(), "her record comes with it");
        check.expect(accepted.device == two.alice.device, "and her device");
        check.expect(alice.session().weak_start() == !one_time_keys, "she knows a weak start");
        check.expect(accepted.first.next.weak_start() == !one_time_keys, "he knows a weak start");
    }
}

void repeats_until_answered(Check& check) {
    Two two;
    End alice{two.begun(), two.rng};
    const std::array<Bytes, 3> sent{alice.seal("0"), alice.seal("1"), alice.seal("2")};
    for (const auto& envelope : sent)
        check.expect(Envelope::parse(envelope)->has_handshake(), "the part is repeated");
    End bob{must(answer(two.bob, sent[1]), "answering the second message first").first, two.rng};
    check.expect(bob.hears(sent[0], "0") && bob.late(), "the first comes late");
    check.expect(bob.hears(sent[2], "2"), "the third is a message like any other");
    check.expect(bob.refuses(sent[1], Error::duplicate), "none is read twice");
    check.expect(alice.hears(bob.seal("reply"), "reply"), "the reply arrives");
    const auto after = alice.seal("3");
    check.expect(!Envelope::parse(after)->has_handshake(), "then the part is dropped");
    check.expect(bob.hears(after, "3"), "and the session goes on");
}

void every_flipped_bit(Check& check) {
    Two two;
    const auto envelope = two.hello();
    for (std::size_t at = 0; at < envelope.size(); ++at) {
        // Within the KEM ciphertext, one byte in eight: each costs a decapsulation.
        if (at > 64 && at < 1144 && at % 8 != 0) continue;
        check.expect(!answer(two.bob, flipped(envelope, at, static_cast<unsigned>(at % 8))),
                     "byte " + std::to_string(at));
    }
    check.expect(two.hears(two.bob, envelope), "afterwards the real one opens: nothing was spent");
}

void every_length(Check& check) {
    Two two;
    const auto envelope = two.hello();
    for (std::size_t size = 0; size < envelope.size(); size += size < 1200 || size > 1600 ? 1 : 7)
        check.expect(!answer(two.bob, ByteView{envelope}.first(size)), "cut to " + std::to_string(size));
    for (const std::size_t more : {1U, 15U, 16U, 160U})
        check.expect(!answer(two.bob, joined(envelope, repeated(more, 0))),
                     "longer by " + std::to_string(more));
}

void bad_bundles(Check& check) {
    Two two;
    const auto refused = [&](const PrekeyBundle& bundle, Error error, std::string_view what) {
        const auto session = begin(two.alice, bundle);
        check.expect(!session && session.error() == error, what);
    };
    auto bundle = two.bob.bundle();
    for (std::size_t bit = 0; bit < 512; bit += 11) {
        bundle.signed_prekey.signature.at(bit / 8) ^= std::byte{1};
        refused(bundle, Error::bad_signature, "the signed prekey's signature");
        bundle = two.bob.bundle();
        bundle.kem_prekey.signature.at(bit / 8) ^= std::byte{1};
        refused(bundle, Error::bad_signature, "the KEM prekey's signature");
        bundle = two.bob.bundle();
    }
    bundle.signed_prekey.key = SignedPrekeyPair::generate(two.rng).public_key();
    refused(bundle, Error::bad_signature, "a signed prekey of somebody's own");
    bundle = two.bob.bundle();
    bundle.kem_prekey.key = KemKeyPair::generate(two.rng).public_key();
    refused(bundle, Error::bad_signature, "a KEM prekey of somebody's own");
    bundle = two.bob.bundle();
    bundle.kem_prekey.kind = KemPrekeyKind::last_resort;
    refused(bundle, Error::bad_signature, "a one-time KEM prekey offered as a last resort");
    refused(two.bob.bundle(true, today - signed_prekey_refused_days - 1), Error::stale, "61 days old");
    const auto oldest = begin(two.alice, two.bob.bundle(true, today - signed_prekey_refused_days));
    check.expect(oldest && oldest->weak_start(), "60 days old: taken, and marked");
}

void transcript(Check& check) {
    Two two;
    const auto envelope = two.hello();
    Person carol{"carol@chat.example", two.rng, 7};
    check.expect(!answer(carol, envelope), "another recipient");

    auto moved = two.bob.body("bob@other.example");
    const auto record = two.bob.record;
    two.bob.sign_again(moved);
    check.expect(!answer(two.bob, envelope), "another server of the recipient");

    auto later = record.body();
    later.day += 1;
    two.bob.sign_again(later);
    check.expect(!answer(two.bob, envelope), "another record of the recipient");

    two.bob.record = record;
    check.expect(two.hears(two.bob, envelope), "the right one");
}

void invites(Check& check) {
    Two two;
    const auto secret = two.rng.secret<InviteSecret>();
    const auto other = two.rng.secret<InviteSecret>();
    End alice{must(begin(two.alice, two.bob.bundle(), &secret), "beginning"), two.rng};
    const auto accepted = must(answer(two.bob, alice.seal("hello")), "answering");
    if (!check.expect(accepted.invite.has_value(), "the proof comes with the handshake")) return;
    const auto& id = accepted.first.next.id();
    check.expect(invite_proof_matches(secret, id, *accepted.invite), "it is right for the link's secret");
    check.expect(!invite_proof_matches(other, id, *accepted.invite), "not for another link's");
    auto elsewhere = id;
    elsewhere[0] ^= std::byte{1};
    check.expect(!invite_proof_matches(secret, elsewhere, *accepted.invite), "not for another session");
    for (std::size_t at = 0; at < 32; ++at) {
        auto bent = *accepted.invite;
        bent.mac.at(at) ^= std::byte{1};
        check.expect(!invite_proof_matches(secret, id, bent), "a changed proof");
    }
}

void fresh(Check& check) {
    Two two;
    std::vector<SessionId> seen;
    for (int i = 0; i < 20; ++i) {
        const auto id = two.begun().id();
        check.expect(std::ranges::find(seen, id) == seen.end(), "no session is begun twice");
        seen.push_back(id);
    }
}

constexpr std::array checks{
    Definition{"Both sides agree, with one-time keys and without, and know which",
               "docs/protocol.md section 6", both_sides_agree, "Handshake.WorksWithoutOneTimeKeysAndSaysSo"},
    Definition{"The handshake part is repeated until the first reply, in any order of arrival",
               "docs/protocol.md section 6", repeats_until_answered},
    Definition{"Every changed byte of a first message is refused and spends nothing",
               "docs/protocol.md section 6, R1 to R6", every_flipped_bit,
               "Handshake.EveryChangedByteOfTheFirstEnvelopeIsRefused "
               "Handshake.AForgedOneSpendsNoPrekeyAndTheRealOneStillOpens"},
    Definition{"Every shorter or longer first message is refused", "docs/protocol.md section 8", every_length,
               "Envelope.EveryShorterOrLongerOneIsRefused"},
    Definition{"Bundles with a wrong signature, key, kind or age are refused", "docs/protocol.md section 5",
               bad_bundles,
               "Bundle.AgesAtAndPastTheirLimits Bundle.AServersOwnKeysAreRefused "
               "Handshake.AServerThatHandsOutItsOwnPrekeysIsCaught"},
    Definition{"The transcript binds recipient, server and record", "docs/protocol.md section 6, I4",
               transcript, "Handshake.AnotherRecipientCanNotOpenIt Handshake.AnotherServerCanNotOpenIt"},
    Definition{"Invite proofs hold for one link and one session", "docs/protocol.md section 6", invites},
    Definition{"Each beginning makes a session of its own", "docs/protocol.md section 6", fresh},
};

}  // namespace

std::span<const Definition> handshake_checks() {
    return checks;
}

}  // namespace sotto::audit
