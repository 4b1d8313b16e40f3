#include "bench/crypto/ends.hpp"

#include "bench/crypto/bare.hpp"

namespace sotto::bench {

using crypto::SecretBytes;

crypto::SystemRng& system_rng() {
    static crypto::SystemRng rng;
    return rng;
}

const Bytes& content() {
    static const Bytes bytes(content_size, std::byte{0x61});
    return bytes;
}

Bytes End::seal(ByteView text) {
    auto sealed = must(session_.seal(text, now_ms, system_rng()), "sealing");
    session_ = std::move(sealed.next);
    return std::move(sealed.envelope);
}

SecretBytes End::open(ByteView envelope) {
    const auto parsed = must(crypto::Envelope::parse(envelope), "parsing an envelope");
    return open(parsed, must(session_.find(parsed), "finding the chain"));
}

SecretBytes End::open(const crypto::Envelope& envelope, const crypto::Match& match) {
    const crypto::MessageKey* kept = nullptr;
    if (match.needs) {
        const auto found = keys_.find({match.needs->chain, match.needs->n});
        if (found != keys_.end()) kept = &found->second;
    }
    auto opened = must(session_.open(envelope, match, kept, now_ms, system_rng()), "opening");
    store(opened);
    session_ = std::move(opened.next);
    return std::move(opened.content);
}

void End::store(crypto::Opened& opened) {
    for (const auto chain : opened.dropped_chains)
        std::erase_if(keys_, [chain](const auto& entry) { return entry.first.first == chain; });
    if (opened.used) keys_.erase({opened.used->chain, opened.used->n});
    for (auto& key : opened.kept) keys_.try_emplace({key.chain, key.n}, std::move(key.key));
}

End End::copy() const {
    End out{session_.clone()};
    for (const auto& [id, key] : keys_) out.keys_.emplace(id, key.clone());
    return out;
}

void Pair::round_trip() {
    bob.open(alice.seal(content()));
    alice.open(bob.seal(content()));
}

Pair acquainted() {
    static const audit::Person alice{"alice@chat.example", system_rng()};
    static const audit::Person bob{"bob@chat.example", system_rng(), 7};
    End first{must(audit::begin(alice, bob.bundle()), "beginning a session")};
    End second{must(audit::answer(bob, first.seal(content())), "answering").first};
    first.open(second.seal(content()));
    Pair pair{std::move(first), std::move(second)};
    pair.round_trip();  // the key and its ciphertext
    pair.round_trip();  // both enter the epoch
    if (pair.alice.session().epoch() != 1 || pair.bob.session().epoch() != 1)
        throw std::runtime_error("the first epoch did not begin");
    return pair;
}

}  // namespace sotto::bench
