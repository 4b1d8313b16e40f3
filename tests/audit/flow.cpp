// Our own code that touches secrets, with the secrets marked as undefined. Under Valgrind a branch or an
// index that depends on one is an error. What the protocol makes public is marked so where it is made
// (wraps.cpp).
#include <array>

#include "aead.hpp"
#include "declassify.hpp"
#include "groups.hpp"
#include "people.hpp"
#include "sotto/crypto/codec.hpp"
#include "sotto/crypto/invite.hpp"
#include "sotto/crypto/login.hpp"
#include "sotto/crypto/passphrase.hpp"
#include "state.hpp"
#include "vectors.hpp"

namespace sotto::audit {
namespace {

using namespace crypto;  // NOLINT(google-build-using-namespace)

/// Randomness that Valgrind knows as secret, as everything is that a key is made from.
class SecretRng final : public Rng {
  public:
    void fill(std::span<std::byte> out) override {
        rng_.fill(out);
        mark_secret(out);
    }

  private:
    SystemRng rng_;
};

/// What `work` adds to Valgrind's errors is this check's failure.
template <class Work>
void flow(Check& check, std::string_view what, Work work) {
    const auto before = valgrind_errors();
    work();
    const auto errors = valgrind_errors() - before;
    check.expect(errors == 0,
                 std::string{what} + ": " + std::to_string(errors) + " branches or indices on a secret");
}

/// The whole of a result as public, for looking at.
Bytes revealed(ByteView bytes) {
    auto out = to_bytes(bytes);
    mark_public(std::span{out});
    return out;
}

void comparisons(Check& check) {
    SystemRng rng;
    auto a = rng.bytes<64>();
    auto b = a;
    mark_secret(std::span<std::byte>{a});
    mark_secret(std::span<std::byte>{b});
    flow(check, "equal ones", [&] { check.expect(equal_constant_time(a, b), "they are equal"); });
    b.at(40) ^= std::byte{1};
    flow(check, "different ones", [&] { check.expect(!equal_constant_time(a, b), "they differ"); });
}

void derivation(Check& check) {
    SecretRng rng;
    const auto key = rng.secret<MessageKey>();
    flow(check, "keyed BLAKE2b", [&] {
        Array<64> wide;
        mac64(key.expose(), "Sotto/1/audit", {bytes_of("public")}, wide);
        (void)mac(key.expose(), "Sotto/1/audit", {key.expose()});
    });
    flow(check, "HKDF-SHA-512", [&] {
        Array<96> out;
        hkdf(key.expose(), {key.expose()}, "Sotto/1/audit", {}, out);
    });
    flow(check, "hashes of secrets", [&] { (void)hash("Sotto/1/audit", {key.expose()}); });
}

void aeads(Check& check) {
    SecretRng rng;
    const auto key = rng.secret<MessageKey>();
    const auto nonce = revealed(rng.bytes<24>());
    Bytes text(200 + tag_size);
    rng.fill(std::span{text}.first(200));
    flow(check, "sealing", [&] { seal_once(key.expose(), {}, text); });
    const auto sealed = revealed(text);
    Bytes opened(200);
    flow(check, "opening",
         [&] { check.expect(open_once(key.expose(), {}, sealed, opened), "the tag is right"); });
    flow(check, "sealing, XChaCha", [&] { xseal(key.expose(), fixed<24>(nonce), {}, text); });
    const auto xsealed = revealed(text);
    flow(check, "opening, XChaCha", [&] {
        check.expect(xopen(key.expose(), fixed<24>(nonce), {}, xsealed, opened), "the tag is right");
    });
    flow(check, "a wrong tag",
         [&] { check.expect(!open_once(key.expose(), {}, flipped(sealed, 5), opened), "it is refused"); });
}

void key_pairs(Check& check) {
    SecretRng rng;
    flow(check, "X25519", [&] {
        const auto one = IdentityKeyPair::generate(rng);
        const auto other = SignedPrekeyPair::generate(rng);
        Array<32> shared;
        check.expect(one.agree(other.public_key(), shared), "they agree");
    });
    flow(check, "Ed25519", [&] {
        const auto pair = AccountKeyPair::generate(rng);
        const auto signature = pair.sign("Sotto/1/audit", bytes_of("public"));
        check.expect(pair.public_key().verify("Sotto/1/audit", bytes_of("public"), signature), "it verifies");
    });
    flow(check, "ML-KEM-768", [&] {
        const auto pair = KemKeyPair::generate(rng);
        const auto sent = must(pair.public_key().encapsulate(rng), "encapsulating");
        const auto got = must(pair.decapsulate(sent.ciphertext), "decapsulating");
        check.expect(equal_constant_time(got.expose(), sent.shared.expose()), "both have the same");
        const auto bent = flipped(sent.ciphertext, 100);
        (void)must(pair.decapsulate(fixed<kem_ciphertext_size>(bent)), "rejecting implicitly");
    });
}

void handshakes(Check& check) {
    SecretRng rng;
    const Person alice{"alice@chat.example", rng};
    const Person bob{"bob@chat.example", rng, 7};
    const auto invite = rng.secret<InviteSecret>();
    Bytes words(48);
    SystemRng{}.fill(words);
    keep_secret(words);
    auto secret_words = words;
    mark_secret(std::span{secret_words});
    std::optional<Session> session;
    flow(check, "the initiator", [&] { session = must(begin(alice, bob.bundle(), &invite), "beginning"); });
    Bytes envelope;
    flow(check, "sealing the first message",
         [&] { envelope = revealed(must(session->seal(secret_words, now_ms, rng), "sealing").envelope); });
    flow(check, "the responder", [&] {
        const auto accepted = must(answer(bob, envelope), "answering");
        check.expect(
            accepted.invite && invite_proof_matches(invite, accepted.first.next.id(), *accepted.invite),
            "the proof is right");
        check.same(revealed(accepted.first.content), words, "it is read");
    });
    flow(check, "a forged first message", [&] {
        for (const std::size_t at : {100U, 1200U, 1900U})
            check.expect(!answer(bob, flipped(envelope, at)), "is refused");
    });
    keep_secret({});
}

/// A message each way, every draw of randomness and every text being secret.
void ratchets(Check& check) {
    SecretRng rng;
    const Person alice{"alice@chat.example", rng};
    const Person bob{"bob@chat.example", rng, 7};
    Bytes words(48);
    SystemRng{}.fill(words);
    keep_secret(words);
    auto secret_words = words;
    mark_secret(std::span{secret_words});
    auto mine = must(begin(alice, bob.bundle()), "beginning");
    auto first = must(mine.seal(secret_words, now_ms, rng), "sealing");
    auto theirs = must(answer(bob, revealed(first.envelope)), "answering").first.next;
    mine = std::move(first.next);
    flow(check, "turns of the ratchet", [&] {
        for (int i = 0; i < 4; ++i) {
            auto& from = i % 2 == 0 ? theirs : mine;
            auto& to = i % 2 == 0 ? mine : theirs;
            auto skipped = must(from.seal(secret_words, now_ms, rng), "sealing");
            auto sealed = must(skipped.next.seal(secret_words, now_ms, rng), "sealing");
            const auto envelope = revealed(sealed.envelope);
            const auto parsed = *Envelope::parse(envelope);
            const auto match = must(to.find(parsed), "finding");
            auto opened = must(to.open(parsed, match, nullptr, now_ms, rng), "opening");
            check.same(revealed(opened.content), words, "it is read");
            const auto late_envelope = revealed(skipped.envelope);
            const auto late = *Envelope::parse(late_envelope);
            const auto late_match = must(opened.next.find(late), "finding a late one");
            auto again =
                must(opened.next.open(late, late_match, &opened.kept.at(0).key, now_ms, rng), "late");
            check.same(revealed(again.content), words, "the late one is read");
            const auto bent = flipped(envelope, envelope.size() - 20);
            check.expect(!to.open(*Envelope::parse(bent), match, nullptr, now_ms, rng),
                         "a changed one is not");
            from = std::move(sealed.next);
            to = std::move(again.next);
        }
    });
    flow(check, "storing a session", [&] { (void)mine.serialize(); });
    keep_secret({});
}

void stored_secrets(Check& check) {
    SecretRng rng;
    flow(check, "invites and tokens", [&] {
        const auto secret = rng.secret<InviteSecret>();
        (void)invite_id(secret);
        (void)token_hash(invite_token(secret));
    });
    flow(check, "log-in proofs", [&] {
        const auto pair = DeviceSigningKeyPair::generate(rng);
        const LoginChallenge challenge{
            LoginPurpose::login, "chat.example", must(Address::parse("bob@chat.example"), "parsing"), 7, {},
            Array<32>{}};
        check.expect(verify_login(challenge, pair.public_key(), prove_login(challenge, pair)), "it verifies");
    });
    flow(check, "wrapped keys", [&] {
        const auto key = rng.secret<PassphraseKey>();
        const auto secret = rng.secret<MasterKey>();
        const auto wrapped = revealed(wrap(key, "Sotto/1/audit", {}, secret.expose(), rng));
        const auto unwrapped = must(unwrap(key, "Sotto/1/audit", {}, wrapped), "unwrapping");
        check.same(revealed(unwrapped), revealed(secret.expose()), "it comes back");
        check.expect(!unwrap(key, "Sotto/1/audit", {}, flipped(wrapped, 30)), "a changed one is refused");
    });
}

constexpr std::string_view source = "Valgrind memcheck, secrets marked undefined";

constexpr std::array checks{
    Definition{"Comparisons of secrets", source, comparisons},
    Definition{"Hashes and key derivation", source, derivation},
    Definition{"AEADs, right and wrong", source, aeads},
    Definition{"Key pairs: X25519, Ed25519, ML-KEM-768", source, key_pairs},
    Definition{"A handshake, both sides, and forged ones", source, handshakes},
    Definition{"The ratchet: sealing, opening, late and changed messages", source, ratchets},
    Definition{"Invites, tokens, log-in proofs, wrapped keys", source, stored_secrets},
};

}  // namespace

std::span<const Definition> flow_checks() {
    return checks;
}

}  // namespace sotto::audit
