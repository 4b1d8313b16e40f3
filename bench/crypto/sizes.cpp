#include "bench/crypto/ends.hpp"
#include "bench/crypto/jobs.hpp"

namespace sotto::bench {
namespace {

/// What an envelope takes beside its content: the largest content whose envelope has still the size that one
/// of 256 bytes has leaves nothing for padding.
std::size_t overhead(const crypto::Session& session) {
    const auto size_of = [&](std::size_t length) {
        return must(session.seal(Bytes(length), now_ms, system_rng()), "sealing").envelope.size();
    };
    auto length = content_size;
    const auto padded = size_of(length);
    while (size_of(length + 1) == padded) ++length;
    return padded - length;
}

std::size_t size_on_the_wire(const crypto::Session& session) {
    return must(session.seal(content(), now_ms, system_rng()), "sealing").envelope.size();
}

struct Begun {
    crypto::Session session;
    std::size_t identity_padding = 0;  ///< zeros in the sealed identity, docs/protocol.md section 6
};

Begun just_begun() {
    constexpr std::size_t clear =
        1 + 4 + 4 + 4 + 8 + crypto::encoded_key_size + crypto::encoded_kem_ciphertext_size + 2;
    constexpr std::size_t tag = 16;
    constexpr std::size_t identity_head = 4 + 1 + 2;
    const audit::Person alice{"alice@chat.example", system_rng()};
    const audit::Person bob{"bob@chat.example", system_rng(), 7};
    auto session = must(audit::begin(alice, bob.bundle()), "beginning a session");
    const auto sealed = must(session.seal(content(), now_ms, system_rng()), "sealing");
    const auto envelope = must(crypto::Envelope::parse(sealed.envelope), "parsing an envelope");
    return {std::move(session),
            envelope.handshake().size() - clear - tag - identity_head - alice.record.bytes().size()};
}

/// Bob, whose next message offers a key; and Alice, whose next one answers it.
Pair epoch_due() {
    auto pair = acquainted();
    for (int i = 0; i < 10; ++i) pair.round_trip();
    return pair;
}

End with_kept_keys() {
    auto pair = acquainted();
    pair.bob.open(pair.alice.seal(content()));
    Bytes last;
    for (std::size_t i = 0; i <= crypto::max_kept_keys; ++i) last = pair.alice.seal(content());
    pair.bob.open(last);
    return std::move(pair.bob);
}

}  // namespace

void add_sizes(Jobs& jobs) {
    const auto idle = acquainted();
    const auto keeper = with_kept_keys();
    if (keeper.keys().size() != crypto::max_kept_keys) throw std::runtime_error("1,000 keys were not kept");
    constexpr std::size_t key_row =
        sizeof(crypto::KeptKey::chain) + sizeof(crypto::KeptKey::n) + crypto::MessageKey::size;
    jobs.add_size({"session record, idle", idle.alice.session().serialize().size(), 2048});
    jobs.add_size({"session record with 1,000 kept keys", keeper.session().serialize().size(), 2048});
    jobs.add_size({"each kept key, in a row of its own", key_row, 64});

    const auto first = just_begun();
    auto due = epoch_due();
    jobs.add_size({"overhead before padding, in a session", overhead(idle.alice.session()), 140});
    jobs.add_size(
        {"overhead before padding, first message", overhead(first.session) - first.identity_padding, 1750});
    jobs.add_size({"the same with the zeros in its sealed identity", overhead(first.session), std::nullopt});
    jobs.add_size({"256 B on the wire, in a session", size_on_the_wire(idle.alice.session()), std::nullopt});
    jobs.add_size({"256 B on the wire, first message", size_on_the_wire(first.session), std::nullopt});
    jobs.add_size(
        {"256 B on the wire, with the key of an epoch", size_on_the_wire(due.bob.session()), std::nullopt});
    due.alice.open(due.bob.seal(content()));
    jobs.add_size(
        {"256 B on the wire, with its ciphertext", size_on_the_wire(due.alice.session()), std::nullopt});
}

}  // namespace sotto::bench
