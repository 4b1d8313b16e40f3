// After keys die, this process's whole memory is looked through for them.
#include <array>

#include "groups.hpp"
#include "image.hpp"
#include "people.hpp"
#include "runner.hpp"
#include "sotto/crypto/passphrase.hpp"
#include "state.hpp"
#include "vectors.hpp"

namespace sotto::audit {
namespace {

using namespace crypto;  // NOLINT(google-build-using-namespace)

/// Every secret of a session, by its fields in docs/protocol.md 7.6.
void watch(Needles& needles, const std::string& name, const Session& session) {
    const auto bytes = session.serialize();
    const ByteView all{bytes};
    constexpr std::size_t root = 1 + 1 + 32 + 4;
    constexpr std::size_t own = root + 32;
    constexpr std::size_t sending = own + 32 + 33 + 33;
    constexpr std::size_t receiving = sending + 96 + 4 + 4 + 4;
    for (const auto offset :
         {root, own, sending, sending + 32, sending + 64, receiving, receiving + 32, receiving + 64})
        needles.add(name, all.subspan(offset, 32));
}

constexpr const char* sanitizers = "built with a sanitizer, whose own memory keeps copies of everything";

void nothing_of(Check& check, const Needles& needles, std::string_view what) {
    if (sanitized()) Check::skip(sanitizers);
    const auto count = needles.count_in_memory();
    check.expect(count == 0, std::string{what} + ": " + needles.found());
    check.note(std::to_string(needles.size()) + " pieces of secrets looked for in " +
               std::to_string(needles.searched() >> 20) + " MiB");
}

void the_search_works(Check& check) {
    if (sanitized()) Check::skip(sanitizers);
    SystemRng rng;
    Needles needles;
    {
        const auto secret = rng.secret<MessageKey>();
        needles.add("on the stack", secret.expose());
        check.expect(needles.count_in_memory("on the stack") > 0, "a secret on the stack is found");
        SecretBytes heap(48);
        rng.fill(heap);
        needles.add("on the heap", heap);
        check.expect(needles.count_in_memory("on the heap") >= 3, "each piece of one on the heap is found");
    }
    check.expect(needles.count_in_memory("a name that nobody has") == 0, "and nothing that isn't there");
}

void key_pairs(Check& check) {
    Needles needles;
    {
        SystemRng rng;
        const Person alice{"alice@chat.example", rng};
        needles.add("account key", alice.account.seed().expose());
        needles.add("signing key", alice.signing.seed().expose());
        needles.add("identity key", alice.identity.seed().expose());
        needles.add("signed prekey", alice.signed_prekey.seed().expose());
        needles.add("one-time prekey", alice.one_time.seed().expose());
        needles.add("KEM prekey", alice.kem_one_time.seed().expose());
        const auto bundle = alice.bundle();
        check.expect(bundle.check(today).has_value(), "the keys have been used");
    }
    nothing_of(check, needles, "keys of a device");
}

void handshakes(Check& check) {
    Needles needles;
    {
        SystemRng rng;
        Conversation c{rng};
        watch(needles, "her session", c.alice.session());
        watch(needles, "his session", c.bob.session());
        needles.add("signed prekey", c.bob_person.signed_prekey.seed().expose());
        check.expect(c.round_trip(), "the session has been used");
        watch(needles, "her session later", c.alice.session());
        watch(needles, "his session later", c.bob.session());
    }
    nothing_of(check, needles, "a conversation");
}

/// The secrets of an epoch that is under way stand behind the head of the epoch area.
void watch_epoch(Needles& needles, const Session& session, std::size_t size) {
    const auto bytes = session.serialize();
    constexpr std::size_t head = 393 + 17;  // of a record without remembered chains
    needles.add("epoch", ByteView{bytes}.subspan(head, size));
}

void epochs(Check& check) {
    Needles needles;
    {
        SystemRng rng;
        Conversation c{rng, Begun::answered};
        check.expect(c.bob.hears(c.alice.seal("x"), "x"), "she offers a key");
        watch_epoch(needles, c.alice.session(), 64);  // the seed
        watch_epoch(needles, c.bob.session(), 32);    // the secret
        check.expect(c.alice.hears(c.bob.seal("y"), "y"), "he answers it");
        watch(needles, "her session", c.alice.session());
        check.expect(c.round_trip() && c.bob.session().epoch() == 1, "and both enter the epoch");
    }
    nothing_of(check, needles, "an epoch");
}

void kept_keys(Check& check) {
    Needles needles;
    {
        SystemRng rng;
        Conversation c{rng};
        for (int i = 0; i < 20; ++i) (void)c.alice.seal("skipped");
        const auto envelope = c.alice.seal("read");
        const auto parsed = *Envelope::parse(envelope);
        const auto& session = c.bob.session();
        const auto match = must(session.find(parsed), "finding");
        const auto opened = must(session.open(parsed, match, nullptr, now_ms, rng), "opening");
        for (const auto& kept : opened.kept) needles.add("kept key", kept.key.expose());
        check.expect(opened.kept.size() == 20, "twenty keys were kept");
    }
    nothing_of(check, needles, "kept keys");
}

void plaintexts(Check& check) {
    Needles needles;
    {
        SystemRng rng;
        Conversation c{rng};
        SecretBytes words(160);
        rng.fill(words);
        needles.add("plaintext", words);
        const auto envelope = c.alice.seal(ByteView{words});
        const auto parsed = *Envelope::parse(envelope);
        const auto match = must(c.bob.session().find(parsed), "finding");
        const auto opened = must(c.bob.session().open(parsed, match, nullptr, now_ms, rng), "opening");
        check.same(opened.content, words, "it was read");
        const auto bent = flipped(envelope, envelope.size() - 1);
        check.expect(!c.bob.session().open(*Envelope::parse(bent), match, nullptr, now_ms, rng),
                     "and refused when changed");
    }
    nothing_of(check, needles, "a plaintext");
}

void derived(Check& check) {
    Needles needles;
    {
        SystemRng rng;
        const auto input = rng.secret<MessageKey>();
        needles.add("input", input.expose());
        Secret<struct HkdfTag, 96> out;
        hkdf({}, {input.expose()}, "Sotto/1/audit", {}, out.writable());
        needles.add("hkdf output", out.expose());
        Secret<struct MacTag, 64> wide;
        mac64(input.expose(), "Sotto/1/audit", {}, wide.writable());
        needles.add("mac output", wide.expose());
        const auto key = rng.secret<PassphraseKey>();
        needles.add("wrapping key", key.expose());
        const auto wrapped = wrap(key, "Sotto/1/audit", {}, input.expose(), rng);
        const auto unwrapped = must(unwrap(key, "Sotto/1/audit", {}, wrapped), "unwrapping");
        check.same(unwrapped, input.expose(), "all of it has been used");
    }
    nothing_of(check, needles, "derived keys");
}

void stretched(Check& check) {
    Needles needles;
    {
        SystemRng rng;
        SecretBytes passphrase(24);
        rng.fill(passphrase);
        needles.add("passphrase", passphrase);
        const auto key =
            must(stretch(passphrase, rng.bytes<16>(), {.memory_kib = 8 * 1024, .passes = 1}), "stretching");
        needles.add("passphrase key", key.expose());
        check.expect(sanitized() || needles.count_in_memory("passphrase key") > 0,
                     "the key is there while it lives");
    }
    nothing_of(check, needles, "a passphrase");
}

constexpr std::array checks{
    Definition{"The search finds what is there", "/proc/self/mem over /proc/self/maps", the_search_works},
    Definition{"Key pairs leave nothing behind", "crypto/secret.hpp", key_pairs},
    Definition{"A handshake and its sessions leave nothing behind", "crypto/session.hpp", handshakes,
               "Wiping.AConversationLeavesNoSecretBehind"},
    Definition{"A post-quantum epoch leaves nothing behind", "crypto/session.hpp", epochs},
    Definition{"Kept keys leave nothing behind", "crypto/session.hpp", kept_keys},
    Definition{"Plaintexts leave nothing behind", "crypto/session.hpp", plaintexts,
               "Wiping.AConversationLeavesNoSecretBehind"},
    Definition{"Derived and wrapping keys leave nothing behind", "crypto/hash.hpp, crypto/passphrase.hpp",
               derived},
    Definition{"A passphrase and the key that Argon2id makes of it leave nothing behind",
               "crypto/passphrase.hpp", stretched},
};

}  // namespace

std::span<const Definition> wiping_checks() {
    return checks;
}

}  // namespace sotto::audit
