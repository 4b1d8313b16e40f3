// Counters, snapshots, commitment, tags, thieves.
#include <set>

#include "aead.hpp"
#include "attacks.hpp"
#include "forge.hpp"
#include "sotto/crypto/attachment.hpp"
#include "sotto/crypto/codec.hpp"
#include "sotto/crypto/passphrase.hpp"
#include "vectors.hpp"

namespace sotto::audit {

using namespace crypto;  // NOLINT(google-build-using-namespace)

void attack_skipped_keys(Check& check) {
    SystemRng rng;
    Conversation c{rng};
    for (const std::uint32_t n : {0xffffffffU, 0xfffffffeU, 0x80000000U, 5000U, 1002U}) {
        check.expect(c.bob.refuses(with_header(c.alice.session(), "x", {.n = n}, rng)), "a far counter");
        check.expect(c.bob.refuses(with_header(c.alice.session(), "x", {.previous = n}, rng)),
                     "a far end of the chain before");
        check.expect(c.bob.kept() == 0, "and nothing is kept of it");
    }
    for (int i = 0; i < 3000; ++i) {
        const auto n = static_cast<std::uint32_t>(rng.below(0xfffff000U)) + 1002;
        check.expect(c.bob.refuses(with_header(c.alice.session(), "x", {.n = n}, rng)), "thousands of gaps");
    }
    check.expect(c.bob.kept() == 0, "leave nothing behind");
    check.expect(c.round_trip(), "and the session goes on");
}

void attack_rollback(Check& check) {
    SystemRng rng;
    Conversation c{rng};
    check.expect(c.bob.hears(c.alice.seal("the chain has begun"), "the chain has begun"), "read");
    auto snapshot = c.alice.copy(rng);
    // Both go on from one state, with the very same message numbers and message keys.
    std::set<std::string> blocks;
    for (int i = 0; i < 20; ++i) {
        const auto one = c.alice.seal("the same words, every time");
        const auto other = snapshot.seal("the same words, every time");
        for (const auto* const envelope : {&one, &other}) {
            const auto body = chars_of(Envelope::parse(*envelope)->body());
            for (std::size_t at = 0; at + 8 <= body.size(); at += 8)
                check.expect(blocks.insert(std::string{body.substr(at, 8)}).second, "key stream is repeated");
        }
        // Had it been, the two ciphertexts of one text would be equal somewhere.
        check.expect(c.bob.hears(i % 2 == 0 ? one : other, "the same words, every time"), "one is read");
        check.expect(c.bob.refuses(i % 2 == 0 ? other : one, Error::duplicate), "the other is a duplicate");
    }
    attack_restored_copy(check);
}

namespace {

std::vector<Bytes> sealed_file(const AttachmentKey& key, ByteView file, Rng& rng) {
    auto sealer = must(AttachmentSealer::begin(key, file.size(), rng), "beginning a file");
    std::vector<Bytes> out{to_bytes(sealer.header())};
    for (std::size_t at = 0; !sealer.done();) {
        const auto size = sealer.wants();
        out.push_back(must(sealer.seal(file.subspan(at, size)), "sealing a chunk"));
        at += size;
    }
    return out;
}

/// True if all of it opens, to this very file.
bool opens(const AttachmentKey& key, ByteView file, const std::vector<Bytes>& stream) {
    auto opener = AttachmentOpener::begin(key, file.size(), stream.front());
    if (!opener) return false;
    Bytes read;
    for (std::size_t i = 1; i < stream.size(); ++i) {
        const auto chunk = opener->open(stream[i]);
        if (!chunk) return false;
        read.insert(read.end(), chunk->begin(), chunk->end());
    }
    return opener->done() && std::ranges::equal(read, file);
}

/// The same on files: one stream is one key's and one length's, whole and in its order.
void attack_attachments(Check& check) {
    SystemRng rng;
    const auto key = rng.secret<AttachmentKey>();
    const auto other_key = rng.secret<AttachmentKey>();
    Bytes file(3 * attachment_chunk_size + 500);
    rng.fill(file);
    const auto stream = sealed_file(key, file, rng);
    const auto other = sealed_file(key, file, rng);
    check.expect(opens(key, file, stream), "the file opens");
    check.expect(!opens(other_key, file, stream), "not under another key");
    check.expect(!AttachmentOpener::begin(key, file.size() - 1, stream.front()), "not at another length");
    for (std::size_t at = 0; at < attachment_header_size; ++at)
        check.expect(!AttachmentOpener::begin(key, file.size(), flipped(stream.front(), at)),
                     "a changed header");
    for (std::size_t i = 1; i < stream.size(); ++i) {
        auto bent = stream;
        bent[i] = flipped(bent[i], rng.below(bent[i].size()));
        check.expect(!opens(key, file, bent), "a changed chunk");
        bent = stream;
        bent[i] = other[i];
        check.expect(!opens(key, file, bent), "a chunk of another stream of the same file");
        bent = stream;
        std::swap(bent[i], bent[i == 1 ? 2 : 1]);
        check.expect(!opens(key, file, bent), "chunks in another order");
        bent = stream;
        bent.insert(bent.begin() + static_cast<std::ptrdiff_t>(i), bent[i]);
        check.expect(!opens(key, file, bent), "a chunk twice");
        bent.assign(stream.begin(), stream.begin() + static_cast<std::ptrdiff_t>(i));
        check.expect(!opens(key, file, bent), "a stream that ends early");
    }
    auto longer = stream;
    longer.push_back(stream.back());
    check.expect(!opens(key, file, longer), "a stream that goes on");
}

}  // namespace

void attack_two_keys(Check& check) {
    SystemRng rng;
    Conversation c{rng};
    // Bob's device has kept the keys of two messages that are late.
    const std::string words(150, 'w');
    const auto late = c.alice.seal(words);
    (void)c.alice.seal(words);
    const auto read = c.alice.seal("read");
    const auto find = [&](ByteView envelope) {
        return must(c.bob.session().find(*Envelope::parse(envelope)), "finding");
    };
    const auto parsed_read = *Envelope::parse(read);
    auto opened = must(c.bob.session().open(parsed_read, find(read), nullptr, now_ms, rng), "opening");
    if (!check.expect(opened.kept.size() == 2, "two keys are kept")) return;
    const auto& session = opened.next;

    // Alice, who knows both, makes one body for both keys.
    const auto envelope = *Envelope::parse(late);
    const auto first = body_keys(opened.kept[0].key, session.id(), envelope);
    const auto second = body_keys(opened.kept[1].key, session.id(), envelope);
    const auto size = envelope.body().size() - tag_size;
    const auto length = static_cast<std::uint32_t>(size - 5);
    Bytes frame{std::byte{1}};
    Writer{frame}.u32(length);
    const auto body = opens_under_both(first.encryption, second.encryption, frame, size);
    Bytes plain(size);
    check.expect(open_once(first.encryption, {}, body, plain), "the bare AEAD opens it under one key");
    check.expect(open_once(second.encryption, {}, body, plain), "and under the other");

    auto crafted = late;
    std::ranges::copy(body, crafted.end() - static_cast<std::ptrdiff_t>(body.size()));
    const auto bent = *Envelope::parse(crafted);
    const auto match = must(session.find(bent), "finding");
    check.expect(session.open(bent, match, &opened.kept[0].key, now_ms, rng).has_value(),
                 "Sotto opens it under the key that it commits to");
    check.expect(!session.open(bent, match, &opened.kept[1].key, now_ms, rng), "and not under the other");
    auto recommitted = crafted;
    std::ranges::copy(second.commitment, recommitted.end() - static_cast<std::ptrdiff_t>(body.size()) - 32);
    const auto again = *Envelope::parse(recommitted);
    check.expect(!session.open(again, match, &opened.kept[0].key, now_ms, rng),
                 "a commitment to the other key shuts out the first");
    check.expect(first.commitment != second.commitment, "the two commitments differ");
    for (std::size_t at = 0; at < 32; ++at) {
        const auto changed = flipped(late, late.size() - body.size() - 32 + at);
        check.expect(!session.open(*Envelope::parse(changed), match, &opened.kept[0].key, now_ms, rng),
                     "a changed commitment");
    }
    attack_attachments(check);
}

void attack_truncated_tags(Check& check) {
    SystemRng rng;
    const auto key = rng.bytes<32>();
    const auto nonce = rng.bytes<24>();
    const ByteView words = bytes_of("forty-two bytes of text that nobody may cut");
    auto sealed = joined(words, repeated(tag_size, 0));
    auto xsealed = sealed;
    seal_once(key, {}, sealed);
    xseal(key, nonce, {}, xsealed);
    Bytes out(words.size());
    for (std::size_t cut = 1; cut <= sealed.size(); ++cut) {
        const auto left = sealed.size() - cut;
        const auto room = std::span{out}.first(left > tag_size ? left - tag_size : 0);
        check.expect(!open_once(key, {}, ByteView{sealed}.first(left), room), "ChaCha20-Poly1305");
        check.expect(!xopen(key, nonce, {}, ByteView{xsealed}.first(left), room), "XChaCha20-Poly1305");
    }
    for (std::size_t zeroed = 1; zeroed <= tag_size; ++zeroed) {
        auto bent = sealed;
        std::fill(bent.end() - static_cast<std::ptrdiff_t>(zeroed), bent.end(), std::byte{0});
        check.expect(!open_once(key, {}, bent, out), "a tag with its end zeroed");
    }
    Conversation c{rng};
    const auto envelope = c.alice.seal("the words");
    for (std::size_t cut = 1; cut <= 48; ++cut)
        check.expect(c.bob.refuses(ByteView{envelope}.first(envelope.size() - cut)), "an envelope");
    const auto passphrase_key = rng.secret<PassphraseKey>();
    const auto wrapped = wrap(passphrase_key, "Sotto/1/audit", {}, words, rng);
    for (std::size_t size = 0; size < wrapped.size(); ++size)
        check.expect(!unwrap(passphrase_key, "Sotto/1/audit", {}, ByteView{wrapped}.first(size)),
                     "a wrapped secret");
    check.expect(c.bob.hears(envelope, "the words"), "the whole one opens");
}

namespace {

/// Gives a thief the key that the victim has just drawn, wherever the thief's copy draws one.
class StolenKeys final : public Rng {
  public:
    void hand_over(SecretBytes key) { key_ = std::move(key); }
    void fill(std::span<std::byte> out) override {
        if (out.size() == key_.size())
            std::ranges::copy(key_, out.begin());
        else
            rng_.fill(out);
    }

  private:
    SecretBytes key_;
    SystemRng rng_;
};

/// A thief who, beside Bob's whole state, gets every later X25519 secret of his, as a quantum computer would
/// give it: one completed epoch is all that helps.
void attack_with_every_x25519_secret(Check& check) {
    SystemRng rng;
    StolenKeys keys;
    Conversation c{rng};
    auto thief = c.bob.copy(keys);
    const auto stolen_in = c.bob.session().epoch();
    int read = 0;
    int closed = 0;
    for (int i = 0; i < 40; ++i) {
        const auto sealed_in = c.alice.session().epoch();
        const auto question = c.alice.seal("question");
        check.expect(c.bob.hears(question, "question"), "Bob reads it");
        const bool opened = thief.hears(question, "question");
        check.expect(opened == (sealed_in == stolen_in),
                     "the thief reads the epoch of the theft and no other");
        (opened ? read : closed) += 1;
        const auto answer = c.bob.seal("answer");
        keys.hand_over(ratchet_secret(c.bob.session()));
        (void)thief.seal("turns his copy as Bob has turned");
        check.expect(c.alice.hears(answer, "answer"), "the two go on");
    }
    check.expect(read >= 5 && closed >= 20, "he is inside for a while, and then no more");
    check.note("with every X25519 secret a thief read " + std::to_string(read) +
               " of 40 messages, up to the next epoch");
}

}  // namespace

void attack_compromise(Check& check) {
    SystemRng rng;
    Conversation c{rng};
    const auto skipped = c.alice.seal("skipped");
    const auto before = c.alice.seal("before");
    check.expect(c.bob.hears(before, "before"), "read, one key being kept");
    // Everything that Bob's device holds: session, kept keys, identity, prekeys.
    auto thief = c.bob.copy(rng);
    check.expect(thief.refuses(before), "what was read stays closed");
    check.expect(thief.hears(skipped, "skipped"), "what is kept is stolen");
    check.expect(thief.hears(c.alice.seal("now"), "now"), "and what comes next");
    check.expect(c.round_trip_before(thief), "the two go on, and he listens to every word");
    check.expect(c.round_trip_before(thief), "until both have turned their chains");
    for (int i = 0; i < 5; ++i) {
        check.expect(thief.refuses(c.alice.seal("after")), "the thief reads nothing any more");
        check.expect(c.round_trip_before(thief), "the two go on");
    }
    attack_with_every_x25519_secret(check);
}

}  // namespace sotto::audit
