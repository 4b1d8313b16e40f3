// Invites, login proofs, safety numbers, passphrases. docs/protocol.md sections 9 to 11.
#include "aead.hpp"
#include "key_schedule.hpp"
#include "login_message.hpp"
#include "numeric_fingerprint.hpp"
#include "sotto/crypto/passphrase.hpp"
#include "sotto/crypto/safety_number.hpp"
#include "world.hpp"

namespace sotto::vectors {
namespace {

using namespace crypto;  // NOLINT(google-build-using-namespace): nearly every name here is of there

// ---- invites ----

Json invite_cases(const World& world) {
    auto& rng = *world.fresh();
    return Json::array({new_case("an invite of Alice's", {{"invite_secret", hex(rng.bytes<32>())},
                                                          {"session_id", hex(rng.bytes<32>())},
                                                          {"account", "alice"}})});
}

Json derive_invite(Json& given, const World& world) {
    const auto invite = secret<InviteSecret>(given, "invite_secret");
    const auto token = invite_token(invite);
    return {
        {"invite_id", hex(invite_id(invite))},
        {"token", hex(token.expose())},
        {"token_hash", hex(token_hash(token))},
        {"mac_key", hex(mac(invite.expose(), "Sotto/1/invite-mac-key", {}))},
        {"invite_mac", hex(invite_mac(invite, fixed<32>(given, "session_id")))},
        {"fingerprint", hex(account_fingerprint(world.person(text(given, "account")).account.public_key()))}};
}

void check_invite(const Json& given, const Json& derived, const World& world) {
    const auto invite = bytes(given, "invite_secret");
    expect(derived, "invite_id", ByteView{mac(invite, "Sotto/1/invite-id", {})}.first(16));
    expect(derived, "token", mac(invite, "Sotto/1/invite-token", {}));
    expect(derived, "token_hash", hash("Sotto/1/token", {bytes(derived, "token")}));
    expect(derived, "mac_key", mac(invite, "Sotto/1/invite-mac-key", {}));
    expect(derived, "invite_mac",
           mac(bytes(derived, "mac_key"), "Sotto/1/invite-mac", {bytes(given, "session_id")}));
    const auto key = world.person(text(given, "account")).account.public_key().encode();
    expect(derived, "fingerprint", hash("Sotto/1/account-fingerprint", {key}));
}

// ---- login ----

LoginChallenge challenge_in(const Json& given) {
    LoginChallenge challenge;
    const auto purpose = text(given, "purpose");
    expect_that(purpose == "login" || purpose == "registration", "purpose");
    challenge.purpose = purpose == "login" ? LoginPurpose::login : LoginPurpose::registration;
    challenge.server_name = text(given, "server_name");
    challenge.account = must(Address::parse(text(given, "account")), "account");
    challenge.device = number<std::uint32_t>(given, "device");
    challenge.nonce = fixed<32>(given, "nonce");
    if (!given.at("tls_exporter").is_null()) challenge.exporter = fixed<32>(given, "tls_exporter");
    return challenge;
}

Json login_cases(const World& world) {
    auto& rng = *world.fresh();
    auto cases = Json::array();
    for (const auto* const purpose : {"login", "registration"}) {
        for (const bool bound : {true, false})
            cases.push_back(new_case(bound ? "bound to the connection" : "unbound mode",
                                     {{"purpose", purpose},
                                      {"signing_seed", hex(rng.bytes<32>())},
                                      {"server_name", "chat.example"},
                                      {"account", "alice@chat.example"},
                                      {"device", 1},
                                      {"nonce", hex(rng.bytes<32>())},
                                      {"tls_exporter", bound ? Json(hex(rng.bytes<32>())) : Json()}}));
    }
    return cases;
}

Json derive_login(Json& given, const World& /*world*/) {
    const DeviceSigningKeyPair key{secret<DeviceSigningKeyPair::Seed>(given, "signing_seed")};
    const auto challenge = challenge_in(given);
    const auto proof = prove_login(challenge, key);
    expect_that(verify_login(challenge, key.public_key(), proof), "proof");
    return {{"signing_key", hex(key.public_key().encode())},
            {"label", label_of(challenge)},
            {"message", hex(encode_login(challenge))},
            {"proof", hex(proof)}};
}

void check_login(const Json& given, const Json& derived, const World& /*world*/) {
    const auto key = must(DeviceSigningKey::decode(bytes(derived, "signing_key")), "signing_key");
    expect_that(key.verify(text(derived, "label"), bytes(derived, "message"), fixed<64>(derived, "proof")),
                "proof: over label and message");
    const bool bound = !given.at("tls_exporter").is_null();
    const std::string purpose = text(given, "purpose") == "login" ? "login" : "register";
    expect_that(text(derived, "label") == "Sotto/1/" + purpose + (bound ? "" : "-unbound"), "label");
}

// ---- safety numbers ----

Json safety_number_cases(const World& /*world*/) {
    return Json::array({new_case("Alice and Bob", {{"own", "alice"}, {"peer", "bob"}}),
                        new_case("the same from Bob's side", {{"own", "bob"}, {"peer", "alice"}})});
}

std::string half(const Person& who) {
    return numeric_fingerprint(who.account.public_key().encode(), bytes_of(who.record.body().address.text()));
}

Json derive_safety_number(Json& given, const World& world) {
    const auto own = world.person(text(given, "own"));
    const auto peer = world.person(text(given, "peer"));
    const auto number = safety_number(own.account.public_key(), own.record.body().address,
                                      peer.account.public_key(), peer.record.body().address);
    return {{"own_half", half(own)},
            {"peer_half", half(peer)},
            {"number", number},
            {"qr_text", safety_number_qr(number)}};
}

void check_safety_number(const Json& /*given*/, const Json& derived, const World& /*world*/) {
    const auto own = text(derived, "own_half");
    const auto peer = text(derived, "peer_half");
    expect_that(text(derived, "number") == std::min(own, peer) + std::max(own, peer), "number: its halves");
    expect_that(text(derived, "qr_text") == "SOTTO/1/NUMBER/" + text(derived, "number"),
                "qr_text: the number");
}

// ---- passphrases ----

Json passphrase_cases(const World& world) {
    auto& rng = *world.fresh();
    auto cases = Json::array();
    const auto add = [&](const char* name, const char* passphrase, std::uint32_t memory,
                         std::uint32_t passes) {
        cases.push_back(new_case(name, {{"passphrase", passphrase},
                                        {"salt", hex(rng.bytes<16>())},
                                        {"memory_kib", memory},
                                        {"passes", passes},
                                        {"purpose", "Sotto/1/vault-master"},
                                        {"context", hex(rng.bytes<25>())},
                                        {"secret", hex(rng.bytes<32>())}}));
    };
    add("the least cost", "correct horse battery staple", 8192, 1);
    add("more memory, two passes", "\xc3\xa4\xc3\xb6 \xe2\x82\xac", 12288, 2);
    add("an empty passphrase", "", 8192, 1);
    return cases;
}

Json derive_passphrase(Json& given, const World& world) {
    const PassphraseCost cost{number<std::uint32_t>(given, "memory_kib"),
                              number<std::uint32_t>(given, "passes")};
    const auto key =
        must(stretch(bytes_of(text(given, "passphrase")), fixed<16>(given, "salt"), cost), "cost");
    const auto purpose = text(given, "purpose");
    const auto context = bytes(given, "context");
    Draws draws{given, world.fresh()};
    const auto wrapped = wrap(key, purpose, context, bytes(given, "secret"), draws);
    draws.finish(given, {"nonce"});
    const auto opened = must(unwrap(key, purpose, context, wrapped), "wrapped");
    expect_that(std::ranges::equal(opened, bytes(given, "secret")), "secret: comes back");
    for (std::size_t at = 0; at < wrapped.size(); ++at) {
        auto other = wrapped;
        other[at] ^= std::byte{1};
        expect_that(!unwrap(key, purpose, context, other), "wrapped: every byte counts");
    }
    expect_that(!unwrap(key, "Sotto/1/another", context, wrapped), "purpose: is bound");
    expect_that(!unwrap(key, purpose, ByteView{context}.first(24), wrapped), "context: is bound");
    return {{"key", hex(key.expose())},
            {"wrapping_key", hex(mac(key.expose(), purpose, {}))},
            {"wrapped", hex(wrapped)}};
}

void check_passphrase(const Json& given, const Json& derived, const World& /*world*/) {
    expect(derived, "wrapping_key", mac(bytes(derived, "key"), text(given, "purpose"), {}));
    const auto wrapped = bytes(derived, "wrapped");
    expect_that(wrapped.size() == 24 + bytes(given, "secret").size() + 16, "wrapped: its length");
    expect(given.at("random"), "nonce", ByteView{wrapped}.first(24));
    SecretBytes out(wrapped.size() - 40);
    expect_that(xopen(fixed<32>(derived, "wrapping_key"), fixed<24>(given.at("random"), "nonce"),
                      bytes(given, "context"), ByteView{wrapped}.subspan(24), out),
                "wrapped: under its wrapping key");
    expect(given, "secret", out);
}

}  // namespace

const Kind invite_kind{"invite.json",
                       "What is derived from an invite's secret, and a fingerprint (section 9).",
                       invite_cases, derive_invite, check_invite};
const Kind login_kind{"login.json", "Proofs for the key server (section 11).", login_cases, derive_login,
                      check_login};
const Kind safety_number_kind{"safety-number.json",
                              "Safety numbers of people of people.json, and the text of their QR code "
                              "(section 10).",
                              safety_number_cases, derive_safety_number, check_safety_number};
const Kind passphrase_kind{"passphrase.json",
                           "Passphrases stretched by Argon2id, and a secret wrapped under the result "
                           "(section 9.1).",
                           passphrase_cases, derive_passphrase, check_passphrase};

}  // namespace sotto::vectors
