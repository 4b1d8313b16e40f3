// PQXDH with every agreement and key, the first message, and what is refused. docs/protocol.md section 6.
#include "key_schedule.hpp"
#include "ratchet.hpp"
#include "steps.hpp"
#include "world.hpp"

namespace sotto::vectors {
namespace {

using namespace crypto;  // NOLINT(google-build-using-namespace): nearly every name here is of there

std::int64_t noon(std::uint32_t today) {
    return std::int64_t{today} * 86'400'000 + 43'200'000;
}

/// Who speaks to whom, with which prekeys.
struct Setting {
    Setting(const Json& given, const World& world)
        : initiator(world.person(text(given, "initiator"))),
          responder(world.person(text(given, "responder"))),
          bundle(responder.bundle(flag(given, "one_time_prekey"), text(given, "kem_prekey"))),
          today(number<std::uint32_t>(given, "today")) {
        if (given.contains("invite_secret")) invite.emplace(secret<InviteSecret>(given, "invite_secret"));
    }
    Person initiator;
    Person responder;
    PrekeyBundle bundle;
    std::uint32_t today;
    std::optional<InviteSecret> invite;
};

/// I3 to I6 through the functions that `initiate` calls, from the same randomness.
struct Schedule {
    Schedule(const Setting& setting, const Json& random)
        : base(secret<EphemeralKeyPair::Seed>(random, "ephemeral_secret")),
          kem(encapsulated(setting.bundle.kem_prekey.key, random)) {
        const auto& own = setting.initiator;
        const auto& peer = setting.responder;
        const auto signed_key = setting.bundle.signed_prekey.key.raw();
        const auto agree = [](const auto& secret, FixedView<32> key, DhOutput& out) {
            expect_that(detail::x25519(secret.seed().expose(), key, out.writable()), "an agreement of zeros");
        };
        agree(own.identity, signed_key, agreements.dh1);
        agree(base, peer.identity.public_key().raw(), agreements.dh2);
        agree(base, signed_key, agreements.dh3);
        if (setting.bundle.one_time_prekey)
            agree(base, setting.bundle.one_time_prekey->key.raw(), agreements.dh4.emplace());
        agreements.shared = kem.shared.clone();
    }
    static KemPublicKey::Encapsulated encapsulated(const KemPublicKey& key, const Json& random) {
        Draws draws{{{"random", {{"kem_m", text(random, "kem_m")}}}}, nullptr};
        return must(key.encapsulate(draws), "kem_m");
    }
    [[nodiscard]] Bytes transcript(const Setting& setting) const {
        const auto& own = setting.initiator;
        const auto& bundle = setting.bundle;
        const Party a{own.record, *own.record.device(own.device)};
        const Party b{bundle.record, *bundle.record.device(bundle.device)};
        return Transcript{must(common_version(a.device, b.device), "version"),
                          a,
                          b,
                          base.public_key(),
                          bundle.signed_prekey.id,
                          bundle.signed_prekey.key,
                          bundle.one_time_prekey,
                          bundle.kem_prekey.kind,
                          bundle.kem_prekey.id,
                          bundle.kem_prekey.key,
                          FixedView<kem_ciphertext_size>{kem.ciphertext}}
            .encode();
    }
    EphemeralKeyPair base;
    KemPublicKey::Encapsulated kem;
    Agreements agreements;
};

Json agreed(const Schedule& schedule) {
    const auto& a = schedule.agreements;
    Json out{{"ephemeral_key", hex(schedule.base.public_key().encode())},
             {"dh1", hex(a.dh1.expose())},
             {"dh2", hex(a.dh2.expose())},
             {"dh3", hex(a.dh3.expose())}};
    if (a.dh4) out["dh4"] = hex(a.dh4->expose());
    out["kem_shared_secret"] = hex(a.shared.expose());
    return out;
}

/// The handshake part, taken apart again.
Json part_of(const Session::State& state, const Schedule& schedule) {
    const auto part = must(parse_handshake_part(*state.handshake), "the handshake part");
    const auto k1 = identity_key_of(schedule.agreements, part.clear);
    Bytes identity(part.sealed_identity.size() - tag_size);
    expect_that(open_once(k1.expose(), part.associated, part.sealed_identity, identity), "k1: opens");
    const auto opened = must(open_identity(part, k1), "the identity");
    Json out{{"clear_hash", hex(hash("Sotto/1/handshake-part", {part.clear}))},
             {"k1", hex(k1.expose())},
             {"identity", hex(identity)},
             {"replay_id", hex(part.header.replay_id)}};
    if (opened.invite) {
        out["invite_id"] = hex(opened.invite->id);
        out["invite_mac"] = hex(opened.invite->mac);
    }
    return out;
}

/// I6's keys, in the order of the output.
constexpr std::array root_names{"root_key", "initiator_chain_key", "initiator_header_key",
                                "initiator_next_header_key", "responder_header_key"};

/// R4's state of the responder, from which the first message is opened, with the ratchet key that it brings.
Session responder_before(const Setting& setting, const Session::State& initiator, const Roots& roots) {
    auto state = std::make_unique<Session::State>();
    state->id = initiator.id;
    state->weak_start =
        !setting.bundle.one_time_prekey || setting.bundle.kem_prekey.kind == KemPrekeyKind::last_resort;
    start_responder(*state, roots);
    state->peer_public = initiator.own_public;
    return SessionAccess::wrap(std::move(state));
}

Result<Accepted> accepted(const Setting& setting, ByteView bytes, Rng& rng) {
    const auto envelope = Envelope::parse(bytes);
    if (!envelope) return std::unexpected(envelope.error());
    const auto header = parse_handshake(*envelope);
    if (!header) return std::unexpected(header.error());
    return accept(setting.responder.local(), setting.responder.keys_for(*header), *envelope,
                  noon(setting.today), rng);
}

Json refusals(const Json& changes, const Setting& setting, ByteView envelope) {
    Json out = Json::array();
    for (const auto& change : changes) {
        const auto other = changed(envelope, change);
        SeededRng unused{1};
        const auto result = accepted(setting, other, unused);
        if (result) throw Mismatch("refuse: it was accepted");
        out.push_back({{"error", name(result.error())}, {"sha256", digest(other)}});
    }
    return out;
}

Json derive_handshake(Json& given, const World& world) {
    const Setting setting{given, world};
    Draws draws{given, world.fresh()};
    auto session = must(initiate(setting.initiator.local(), setting.bundle,
                                 setting.invite ? &*setting.invite : nullptr, setting.today, draws),
                        "initiate");
    draws.finish(given, {"ephemeral_secret", "kem_m", "ratchet_secret"});

    const Schedule schedule{setting, given.at("random")};
    const auto transcript = schedule.transcript(setting);
    const auto id = session.id();
    const auto roots = derive_roots(schedule.agreements, id);
    Json out{{"prekey_age", setting.today - setting.bundle.signed_prekey.day},
             {"weakly_begun", session.weak_start()},
             {"version", std::to_integer<int>(transcript.at(0))}};
    out.update(agreed(schedule));
    out["transcript"] = hex(transcript);
    out["session_id"] = hex(id);
    out.update(part_of(SessionAccess::state(session), schedule));
    for (std::size_t i = 0; i < root_names.size(); ++i)
        out[root_names.at(i)] = hex(ByteView{roots.expose()}.subspan(32 * i, 32));

    End alice{std::move(session), {}};
    out["sealed"] =
        seal_step(alice, given["seal"], bytes_of(text(given, "content")), noon(setting.today), world.fresh());
    const auto envelope = bytes(out.at("sealed"), "envelope");
    const Json nothing{{"random", Json::object()}};
    Draws opening{nothing, nullptr};
    auto result = must(accepted(setting, envelope, opening), "accept");
    out["opened"] = opened_first(responder_before(setting, alice.state(), roots), result.first.next, nothing,
                                 envelope, noon(setting.today));
    out["opened"]["content"] = std::string{chars_of(result.first.content)};
    if (result.invite)
        expect_that(setting.invite && invite_proof_matches(*setting.invite, id, *result.invite), "invite");
    out["end"] = {{"alice", alice.record()}, {"bob", hex(result.first.next.serialize())}};
    if (given.contains("refuse")) out["refused"] = refusals(given.at("refuse"), setting, envelope);
    return out;
}

// ---- the definitions ----

/// F ‖ the agreements that take part ‖ SS.
Bytes key_input(const Json& derived, bool with_dh1) {
    Bytes out(32, std::byte{0xff});
    for (const auto* const field : {"dh1", "dh2", "dh3", "dh4", "kem_shared_secret"}) {
        if ((field == std::string_view{"dh1"} && !with_dh1) || !derived.contains(field)) continue;
        out = joined({out, bytes(derived, field)});
    }
    return out;
}

/// Each agreement from the responder's side: the same by the other's secret.
void check_agreements(const Json& derived, const Setting& setting) {
    const auto& b = setting.responder;
    const auto base = must(EphemeralKey::decode(bytes(derived, "ephemeral_key")), "ephemeral_key");
    const auto expect_agreed = [&](const char* field, const auto& own, const auto& key) {
        Array<32> out;
        expect_that(own.agree(key, out), "an agreement of zeros");
        expect(derived, field, out);
    };
    expect_agreed("dh1", b.signed_prekey, setting.initiator.identity.public_key());
    expect_agreed("dh2", b.identity, base);
    expect_agreed("dh3", b.signed_prekey, base);
    expect_that(derived.contains("dh4") == setting.bundle.one_time_prekey.has_value(), "dh4");
    if (derived.contains("dh4")) expect_agreed("dh4", b.one_time, base);
}

void check_part(const Json& derived, const Setting& setting, ByteView part) {
    const auto clear = part.first(handshake_clear_size);
    const auto& kem = setting.bundle.kem_prekey.kind == KemPrekeyKind::one_time
                          ? setting.responder.kem_one_time
                          : setting.responder.kem_last;
    const auto shared = must(kem.decapsulate(FixedView<kem_ciphertext_size>{clear.last(kem_ciphertext_size)}),
                             "the ciphertext");
    expect(derived, "kem_shared_secret", shared.expose());
    expect(derived, "clear_hash", hash("Sotto/1/handshake-part", {clear}));
    Array<32> k1;
    hkdf(Array<32>{}, {key_input(derived, false)}, "Sotto/1/handshake-identity",
         {bytes(derived, "clear_hash")}, k1);
    expect(derived, "k1", k1);
    const auto sealed = part.subspan(handshake_clear_size + 2);
    Bytes identity(sealed.size() - 16);
    expect_that(open_once(k1, part.first(handshake_clear_size + 2), sealed, identity), "k1: opens");
    expect(derived, "identity", identity);
    const auto ids = clear.subspan(1, 12);  // signed, one-time and KEM prekey id; the kind is flag bit 1
    const Bytes kind{clear[0] >> 1U & std::byte{1}};
    expect(derived, "replay_id",
           hash("Sotto/1/handshake-replay", {ids.first(8), kind, ids.last(4), clear.subspan(21, 33)}));
}

void check_handshake(const Json& given, const Json& derived, const World& world) {
    const Setting setting{given, world};
    check_agreements(derived, setting);
    const auto id = hash("Sotto/1/session-id", {bytes(derived, "transcript")});
    expect(derived, "session_id", id);
    const auto envelope = bytes(derived.at("sealed"), "envelope");
    const ByteView view{envelope};
    check_part(derived, setting, view.subspan(3, Reader{view.subspan(1)}.u16()));
    Array<160> roots;
    hkdf(Array<32>{}, {key_input(derived, true)}, "Sotto/1/root", {id}, roots);
    for (std::size_t i = 0; i < root_names.size(); ++i)
        expect(derived, root_names.at(i), ByteView{roots}.subspan(32 * i, 32));
    expect(derived.at("sealed"), "chain_key", bytes(derived, "initiator_chain_key"));
    expect(derived.at("sealed"), "header_key", bytes(derived, "initiator_header_key"));
    check_sealed(derived.at("sealed"), id, bytes_of(text(given, "content")));
    check_opened(derived.at("opened"), derived.at("sealed"), id);
    if (!given.contains("invite_secret")) return;
    const auto invite = bytes(given, "invite_secret");
    expect(derived, "invite_id", ByteView{mac(invite, "Sotto/1/invite-id", {})}.first(16));
    const auto key = mac(invite, "Sotto/1/invite-mac-key", {});
    expect(derived, "invite_mac", mac(key, "Sotto/1/invite-mac", {id}));
}

// ---- the cases ----

Json setting_of(bool one_time, const char* kem, std::uint32_t today, const char* content) {
    return {{"initiator", "alice"}, {"responder", "bob"}, {"one_time_prekey", one_time},
            {"kem_prekey", kem},    {"today", today},     {"content", content}};
}

Json handshake_cases(const World& world) {
    auto both = setting_of(true, "kem_one_time", 20000, "hello Bob");
    const auto refuse = [&](Json change) { both["refuse"].push_back(std::move(change)); };
    both["refuse"] = Json::array();
    refuse({{"at", 0}, {"with", "12"}});                 // the type of an envelope without a handshake part
    refuse({{"at", 0}, {"with", "13"}});                 // an unknown type
    refuse({{"at", 1}, {"with", "ffff"}});               // a length beyond the end
    refuse({{"at", 3}, {"with", "07"}});                 // an unknown flag
    refuse({{"at", 3}, {"with", "02"}});                 // a one-time prekey id, and no flag that says so
    refuse({{"at", 4}, {"with", "00000001"}});           // another signed prekey's id
    refuse({{"at", 16}, {"with", "0000000000000002"}});  // another record of Bob's
    refuse({{"at", 24}, {"with", "01"}});                // EK: an Ed25519 key's type
    refuse({{"at", 25}, {"with", "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"}});
    refuse({{"at", 57}, {"with", "03"}});        // a KEM key where the ciphertext belongs
    refuse({{"at", 58}, {"with", "000000"}});    // another ciphertext
    refuse({{"at", 1148}, {"with", "000000"}});  // the sealed identity
    refuse({{"at", 1676}, {"with", "000000"}});  // the salt
    refuse({{"at", 1700}, {"with", "000000"}});  // the header
    refuse({{"at", 1761}, {"with", "000000"}});  // the commitment
    refuse({{"at", 1793}, {"with", "000000"}});  // the body
    refuse({{"cut", 1}});
    refuse({{"append", "00"}});
    auto invited = setting_of(false, "kem_one_time", 20010, "by your link");
    invited["invite_secret"] = hex(world.fresh()->bytes<32>());
    return Json::array(
        {new_case("with both one-time prekeys", std::move(both)),
         new_case("with neither, and a signed prekey of 15 days",
                  setting_of(false, "kem_last_resort", 20010, "")),
         new_case("with an invite proof, and the one-time KEM prekey alone", std::move(invited))});
}

}  // namespace

const Kind handshake_kind{
    "handshake.json",
    "Alice begins sessions with Bob, both of people.json (section 6): agreements, transcript, keys, the "
    "first envelope and how Bob opens it. The handshake part's clear fields are bytes 3 to 1145 of the "
    "envelope. "
    "derived.refused belongs to given.refuse one by one.",
    handshake_cases, derive_handshake, check_handshake};

}  // namespace sotto::vectors
