#include "forge.hpp"

#include "aead.hpp"
#include "key_schedule.hpp"
#include "ratchet.hpp"
#include "sotto/crypto/codec.hpp"

namespace sotto::audit {

using namespace crypto;  // NOLINT(google-build-using-namespace)

namespace {

// Where things stand in a stored session: docs/protocol.md 7.6.
constexpr std::size_t own_secret_at = 70;
constexpr std::size_t sending_header_at = 168;

void put_u32(std::span<std::byte> out, std::uint32_t value) {
    for (unsigned i = 0; i < 4; ++i) out[i] = static_cast<std::byte>(value >> (24 - 8 * i));
}

}  // namespace

Bytes with_header(const Session& session, std::string_view content, const HeaderChange& change, Rng& rng) {
    auto sealed = must(session.seal(bytes_of(content), now_ms, rng), "sealing");
    auto& envelope = sealed.envelope;
    const auto state = sealed.next.serialize();
    const auto key = ByteView{state}.subspan<sending_header_at, 32>();
    const auto prefix = Envelope::parse(envelope)->prefix().size();
    const auto all = std::span{envelope};
    const FixedView<24> nonce{ByteView{envelope}.subspan(prefix, 24)};
    const auto header = all.subspan(prefix + 24, 61);
    Array<45> plain;
    if (!xopen(key, nonce, all.first(prefix), header, plain))
        throw std::runtime_error("not the header's key");
    const std::span<std::byte> fields{plain};
    if (change.ratchet_key) std::ranges::copy(*change.ratchet_key, fields.subspan(1).begin());
    if (change.previous) put_u32(fields.subspan(33), *change.previous);
    if (change.n) put_u32(fields.subspan(37), *change.n);
    if (change.epoch) put_u32(fields.subspan(41), *change.epoch);
    std::ranges::copy(plain, header.begin());
    xseal(key, nonce, all.first(prefix), header);
    return std::move(envelope);
}

SecretBytes ratchet_secret(const Session& session) {
    const auto state = session.serialize();
    return to_secret_bytes(ByteView{state}.subspan(own_secret_at, 32));
}

Bytes impersonate(const Impostor& impostor, Rng& rng) {
    const auto& bob = impostor.bob;
    const auto bundle = bob.bundle();
    const auto* const alice_device = impostor.alice.device(impostor.device);
    const auto* const bob_device = bob.record.device(bob.device);
    const auto base = EphemeralKeyPair::generate(rng);
    auto kem = must(bundle.kem_prekey.key.encapsulate(rng), "encapsulating");
    Agreements agreements;
    // DH1 is X25519 of Alice's identity and Bob's signed prekey: what can be had of it without her secret?
    auto known = base.seed().expose();
    if (impostor.holds_bobs_identity) known = bob.identity.seed().expose();
    if (impostor.holds_bobs_signed_prekey) known = bob.signed_prekey.seed().expose();
    const bool good =
        detail::x25519(known, alice_device->identity_key.raw(), agreements.dh1.writable()) &&
        detail::x25519(base.seed().expose(), bob_device->identity_key.raw(), agreements.dh2.writable()) &&
        detail::x25519(base.seed().expose(), bundle.signed_prekey.key.raw(), agreements.dh3.writable()) &&
        detail::x25519(base.seed().expose(), bundle.one_time_prekey->key.raw(),
                       agreements.dh4.emplace().writable());
    if (!good) throw std::runtime_error("the impostor's agreements failed");
    if (impostor.holds_kem_secret) agreements.shared = std::move(kem.shared);
    const Transcript transcript{1,
                                {impostor.alice, *alice_device},
                                {bob.record, *bob_device},
                                base.public_key(),
                                bundle.signed_prekey.id,
                                bundle.signed_prekey.key,
                                bundle.one_time_prekey,
                                bundle.kem_prekey.kind,
                                bundle.kem_prekey.id,
                                bundle.kem_prekey.key,
                                FixedView<kem_ciphertext_size>{kem.ciphertext}};
    const auto id = transcript.session_id();
    HandshakeHeader header;
    header.signed_prekey = bundle.signed_prekey.id;
    header.one_time_prekey = bundle.one_time_prekey->id;
    header.kem_kind = bundle.kem_prekey.kind;
    header.kem_prekey = bundle.kem_prekey.id;
    header.record_sequence = bob.record.body().sequence;
    auto part = encode_handshake_clear(header, base.public_key(), kem.ciphertext);
    append_identity(part, identity_key_of(agreements, part), impostor.device, std::nullopt, impostor.alice);
    const auto roots = derive_roots(agreements, id);
    auto state = std::make_unique<Session::State>();
    state->id = id;
    state->initiator = true;
    std::ranges::copy(bundle.signed_prekey.key.raw(), state->peer_public.begin());
    state->handshake = std::make_shared<const Bytes>(std::move(part));
    start_initiator(*state, roots, rng);
    return must(SessionAccess::wrap(std::move(state)).seal(bytes_of("it is me, Alice"), now_ms, rng),
                "sealing")
        .envelope;
}

BodyKeys body_keys(const MessageKey& key, const SessionId& session, const Envelope& envelope) {
    Array<64> both;
    mac64(key.expose(), "Sotto/1/message", {envelope.salt(), session, envelope.header()}, both);
    BodyKeys out;
    std::copy_n(both.begin(), 32, out.encryption.begin());
    std::copy_n(both.begin() + 32, 32, out.commitment.begin());
    return out;
}

}  // namespace sotto::audit
