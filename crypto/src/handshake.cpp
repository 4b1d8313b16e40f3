#include "key_schedule.hpp"
#include "message.hpp"
#include "ratchet.hpp"

namespace sotto::crypto {
namespace {

/// Our own device in our own record, if the two and the identity key belong together.
Result<const Device*> own_device(const LocalDevice& self) {
    const auto* const device = self.record.device(self.device);
    if (device == nullptr || device->identity_key != self.identity.public_key())
        return std::unexpected(Error::mismatch);
    return device;
}

bool same_device(const Party& a, const Party& b) {
    return a.record.body().address == b.record.body().address && a.device.id == b.device.id;
}

std::unique_ptr<Session::State> new_state(const SessionId& id, bool initiator) {
    auto state = std::make_unique<Session::State>();
    state->id = id;
    state->initiator = initiator;
    return state;
}

/// Where the first envelope stands in the initiator's chain, whose ratchet key `state` takes from it.
std::optional<Match> first_match(Session::State& state, const Envelope& envelope) {
    auto match = open_header(state.receiving.header, envelope);
    if (!match || match->previous != 0) return std::nullopt;
    match->chain = Match::Chain::current;
    match->kept_chain = state.receiving.number;
    copy_bytes(match->ratchet_key, state.peer_public);
    return match;
}

bool old(const SignedPrekey& prekey, std::uint32_t today) {
    return today > prekey.day && today - prekey.day > signed_prekey_old_days;
}

/// I3: false if any agreement is all zero, or the KEM key can't be used.
bool agree_as_initiator(const LocalDevice& self, const PrekeyBundle& peer, const Device& peer_device,
                        const EphemeralKeyPair& base, KemPublicKey::Encapsulated& kem, Agreements& out) {
    bool ok = detail::x25519(self.identity.seed().expose(), peer.signed_prekey.key.raw(), out.dh1.writable());
    ok = detail::x25519(base.seed().expose(), peer_device.identity_key.raw(), out.dh2.writable()) && ok;
    ok = detail::x25519(base.seed().expose(), peer.signed_prekey.key.raw(), out.dh3.writable()) && ok;
    if (peer.one_time_prekey) {
        out.dh4.emplace();
        ok = detail::x25519(base.seed().expose(), peer.one_time_prekey->key.raw(), out.dh4->writable()) && ok;
    }
    out.shared = std::move(kem.shared);
    return ok;
}

/// R2: all but DH1.
Result<Agreements> agree_as_responder(const LocalDevice& self, const ResponderKeys& keys,
                                      const HandshakePart& part) {
    Agreements out;
    bool ok = detail::x25519(self.identity.seed().expose(), part.base_key.raw(), out.dh2.writable());
    ok = detail::x25519(keys.signed_prekey.seed().expose(), part.base_key.raw(), out.dh3.writable()) && ok;
    if (keys.one_time_prekey != nullptr) {
        out.dh4.emplace();
        ok =
            detail::x25519(keys.one_time_prekey->seed().expose(), part.base_key.raw(), out.dh4->writable()) &&
            ok;
    }
    auto shared = keys.kem_prekey.decapsulate(part.ciphertext);
    if (!ok || !shared) return std::unexpected(Error::cannot_open);
    out.shared = std::move(*shared);
    return out;
}

}  // namespace

Result<Session> initiate(const LocalDevice& self, const PrekeyBundle& peer, const InviteSecret* invite,
                         std::uint32_t today, Rng& rng) {
    // I1
    const auto own = own_device(self);
    if (!own) return std::unexpected(own.error());
    if (const auto checked = peer.check(today); !checked) return std::unexpected(checked.error());
    const Party initiator{self.record, **own};
    const Party responder{peer.record, *peer.record.device(peer.device)};
    if (same_device(initiator, responder)) return std::unexpected(Error::mismatch);
    // I2
    const auto version = common_version(initiator.device, responder.device);
    if (!version) return std::unexpected(version.error());
    // I3
    const auto base = EphemeralKeyPair::generate(rng);
    auto kem = peer.kem_prekey.key.encapsulate(rng);
    if (!kem) return std::unexpected(kem.error());
    Agreements agreements;
    if (!agree_as_initiator(self, peer, responder.device, base, *kem, agreements))
        return std::unexpected(Error::bad_key);
    // I4
    const Transcript transcript{*version,
                                initiator,
                                responder,
                                base.public_key(),
                                peer.signed_prekey.id,
                                peer.signed_prekey.key,
                                peer.one_time_prekey,
                                peer.kem_prekey.kind,
                                peer.kem_prekey.id,
                                peer.kem_prekey.key,
                                FixedView<kem_ciphertext_size>{kem->ciphertext}};
    const auto id = transcript.session_id();
    // I5
    HandshakeHeader header;
    header.signed_prekey = peer.signed_prekey.id;
    if (peer.one_time_prekey) header.one_time_prekey = peer.one_time_prekey->id;
    header.kem_kind = peer.kem_prekey.kind;
    header.kem_prekey = peer.kem_prekey.id;
    header.record_sequence = peer.record.body().sequence;
    auto part = encode_handshake_clear(header, base.public_key(), kem->ciphertext);
    std::optional<InviteProof> proof;
    if (invite != nullptr) proof = InviteProof{invite_id(*invite), invite_mac(*invite, id)};
    append_identity(part, identity_key_of(agreements, part), self.device, proof, self.record);
    // I6
    const auto roots = derive_roots(agreements, id);
    auto state = new_state(id, true);
    state->weak_start = !peer.one_time_prekey || peer.kem_prekey.kind == KemPrekeyKind::last_resort ||
                        old(peer.signed_prekey, today);
    std::ranges::copy(peer.signed_prekey.key.raw(), state->peer_public.begin());
    state->handshake = std::make_shared<const Bytes>(std::move(part));
    start_initiator(*state, roots, rng);
    return SessionAccess::wrap(std::move(state));
}

Result<Accepted> accept(const LocalDevice& self, const ResponderKeys& keys, const Envelope& envelope,
                        std::int64_t now_ms, Rng& rng) {
    // R1: what is in the clear, and what the caller has looked up for it.
    if (!envelope.has_handshake()) return std::unexpected(Error::malformed);
    const auto part = parse_handshake_part(envelope.handshake());
    if (!part) return std::unexpected(part.error());
    const auto own = own_device(self);
    if (!own) return std::unexpected(own.error());
    if (part->header.record_sequence != self.record.body().sequence ||
        part->header.one_time_prekey.has_value() != (keys.one_time_prekey != nullptr))
        return std::unexpected(Error::mismatch);
    // From here on a peer learns nothing but that it failed.
    // R2, R3
    auto agreements = agree_as_responder(self, keys, *part);
    if (!agreements) return std::unexpected(Error::cannot_open);
    auto identity = open_identity(*part, identity_key_of(*agreements, part->clear));
    if (!identity) return std::unexpected(Error::cannot_open);
    const auto* const device = identity->record.device(identity->device);
    if (device == nullptr) return std::unexpected(Error::cannot_open);
    const Party initiator{identity->record, *device};
    const Party responder{self.record, **own};
    const auto version = common_version(initiator.device, responder.device);
    if (same_device(initiator, responder) || !version) return std::unexpected(Error::cannot_open);
    // R4
    if (!detail::x25519(keys.signed_prekey.seed().expose(), device->identity_key.raw(),
                        agreements->dh1.writable()))
        return std::unexpected(Error::cannot_open);
    std::optional<OneTimePrekey> one_time;
    if (keys.one_time_prekey != nullptr)
        one_time =
            OneTimePrekey{part->header.one_time_prekey.value_or(0), keys.one_time_prekey->public_key()};
    const Transcript transcript{*version,
                                initiator,
                                responder,
                                part->base_key,
                                part->header.signed_prekey,
                                keys.signed_prekey.public_key(),
                                one_time,
                                part->header.kem_kind,
                                part->header.kem_prekey,
                                keys.kem_prekey.public_key(),
                                part->ciphertext};
    const auto id = transcript.session_id();
    const auto roots = derive_roots(*agreements, id);
    auto state = new_state(id, false);
    state->weak_start =
        keys.one_time_prekey == nullptr || part->header.kem_kind == KemPrekeyKind::last_resort;
    start_responder(*state, roots);
    // R5
    const auto match = first_match(*state, envelope);
    if (!match) return std::unexpected(Error::cannot_open);
    const auto session = SessionAccess::wrap(std::move(state));
    auto first = session.open(envelope, *match, nullptr, now_ms, rng);
    if (!first) return std::unexpected(Error::cannot_open);
    return Accepted{std::move(identity->record), identity->device, identity->invite, std::move(*first)};
}

bool invite_proof_matches(const InviteSecret& secret, const SessionId& session, const InviteProof& proof) {
    return equal_constant_time(invite_id(secret), proof.id) &&
           equal_constant_time(invite_mac(secret, session), proof.mac);
}

}  // namespace sotto::crypto
