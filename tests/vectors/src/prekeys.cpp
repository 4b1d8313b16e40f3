// Bundles of Bob's prekeys: which are taken, which are refused. docs/protocol.md section 5.
#include "world.hpp"

namespace sotto::vectors {
namespace {

using namespace crypto;  // NOLINT(google-build-using-namespace): nearly every name here is of there

Json bundle_of(std::uint32_t day, std::uint32_t kem_day, std::uint32_t today,
               const char* kem = "last-resort") {
    return {{"owner", "bob"}, {"day", day}, {"kem_kind", kem}, {"kem_day", kem_day}, {"today", today}};
}

Json with_change(const char* of, std::size_t at, const char* with) {
    auto given = bundle_of(20000, 20000, 20001);
    given["change"] = {{"of", of}, {"at", at}, {"with", with}};
    return given;
}

/// Signed again after the change: only what is said is at fault.
Json with_lie(const char* of, std::size_t at, const char* with) {
    auto given = with_change(of, at, with);
    given["change"]["signed_again"] = true;
    return given;
}

Json prekey_cases(const World& /*world*/) {
    auto cases = Json::array();
    const auto add = [&](const char* name, Json given) { cases.push_back(new_case(name, std::move(given))); };
    add("made today", bundle_of(20000, 20000, 20000));
    add("two days ahead", bundle_of(20002, 20002, 20000));
    add("signed prekey three days ahead", bundle_of(20003, 20002, 20000));
    add("last-resort KEM prekey three days ahead", bundle_of(20002, 20003, 20000));
    add("14 days old", bundle_of(20000, 20000, 20014));
    add("15 days old", bundle_of(20000, 20000, 20015));
    add("60 days old", bundle_of(20000, 20000, 20060));
    add("signed prekey 61 days old", bundle_of(20000, 20001, 20061));
    add("last-resort KEM prekey 61 days old", bundle_of(20001, 20000, 20061));
    add("a one-time KEM prekey may be older", bundle_of(20001, 10000, 20061, "one-time"));
    add("signed prekey of another device", with_lie("signed_prekey", 0, "00000001"));
    add("signed prekey id 0", with_lie("signed_prekey", 4, "00000000"));
    add("signed prekey: another id than was signed", with_change("signed_prekey", 4, "00000009"));
    add("signed prekey: a KEM key's type", with_change("signed_prekey", 8, "03"));
    add("signed prekey: a key of small order",
        with_change("signed_prekey", 9, "0000000000000000000000000000000000000000000000000000000000000000"));
    add("signed prekey: a key that isn't canonical",
        with_change("signed_prekey", 9, "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"));
    add("signed prekey: another day than was signed", with_change("signed_prekey", 41, "00004e21"));
    add("signed prekey: names a record that is held back", with_lie("signed_prekey", 45, "0000000000000002"));
    add("signed prekey: names another record of this number", with_lie("signed_prekey", 53, "00000000"));
    add("KEM prekey of another kind than was signed", with_change("kem_prekey", 0, "01"));
    add("KEM prekey of an unknown kind", with_change("kem_prekey", 0, "02"));
    add("KEM prekey of another device", with_lie("kem_prekey", 1, "00000001"));
    add("KEM prekey id 0", with_lie("kem_prekey", 5, "00000000"));
    add("KEM prekey: an X25519 key's type", with_change("kem_prekey", 9, "02"));
    add("KEM prekey: a coefficient of 3329", with_change("kem_prekey", 10, "01fd"));
    add("KEM prekey: another key than was signed", with_change("kem_prekey", 10, "0000"));
    add("KEM prekey: a bit of the signature", with_change("kem_prekey", 1261, "00"));
    return cases;
}

struct Encoded {
    Bytes signed_prekey;
    Bytes kem_prekey;
};

Encoded encoded(const Json& given, const Person& owner) {
    const auto kind =
        text(given, "kem_kind") == "one-time" ? KemPrekeyKind::one_time : KemPrekeyKind::last_resort;
    expect_that(kind == KemPrekeyKind::one_time || text(given, "kem_kind") == "last-resort", "kem_kind");
    Encoded out{
        SignedPrekey::make(owner.signed_prekey_id, owner.signed_prekey, number<std::uint32_t>(given, "day"),
                           owner.record, owner.device, owner.signing)
            .encode(),
        owner.kem_prekey(kind, number<std::uint32_t>(given, "kem_day")).encode()};
    if (!given.contains("change")) return out;
    const auto& change = given.at("change");
    const auto of = text(change, "of");
    expect_that(of == "signed_prekey" || of == "kem_prekey", "change.of");
    auto& which = of == "kem_prekey" ? out.kem_prekey : out.signed_prekey;
    which = changed(which, change);
    if (!change.contains("signed_again")) return out;
    expect_that(flag(change, "signed_again"), "signed_again");
    const auto* const label = of == "kem_prekey" ? "Sotto/1/kem-prekey" : "Sotto/1/signed-prekey";
    const auto signature = owner.signing.sign(label, ByteView{which}.first(which.size() - 64));
    std::ranges::copy(signature, which.end() - 64);
    return out;
}

Result<void> checked(const Encoded& prekeys, const Person& owner, std::uint32_t today) {
    const auto signed_prekey = SignedPrekey::decode(prekeys.signed_prekey);
    if (!signed_prekey) return std::unexpected(signed_prekey.error());
    const auto kem = KemPrekey::decode(prekeys.kem_prekey);
    if (!kem) return std::unexpected(kem.error());
    return PrekeyBundle{owner.record, owner.device, *signed_prekey, *kem, std::nullopt}.check(today);
}

Json derive_bundle(Json& given, const World& world) {
    const auto owner = world.person(text(given, "owner"));
    const auto prekeys = encoded(given, owner);
    const auto today = number<std::uint32_t>(given, "today");
    const auto result = checked(prekeys, owner, today);
    return {{"signed_prekey_age", std::int64_t{today} - number<std::uint32_t>(given, "day")},
            {"signed_prekey", hex(prekeys.signed_prekey)},
            {"kem_prekey_sha256", digest(prekeys.kem_prekey)},
            {"error", result ? Json() : Json(name(result.error()))}};
}

void check_bundle(const Json& given, const Json& derived, const World& world) {
    const auto prekey = bytes(derived, "signed_prekey");
    const ByteView view{prekey};
    const auto owner = world.person(text(given, "owner"));
    const bool signature = detail::verify(owner.signing.public_key().raw(), "Sotto/1/signed-prekey",
                                          view.first(view.size() - 64), FixedView<64>{view.last(64)});
    const bool touched = given.contains("change") && given.at("change").at("of") == "signed_prekey" &&
                         !given.at("change").contains("signed_again");
    expect_that(signature != touched, "signed_prekey: its signature");
}

}  // namespace

const Kind prekey_kind{
    "prekeys.json",
    "Bundles of prekeys of people.json, made on a day and looked at on another, some changed after "
    "signing (section 5). error null: the bundle is taken. SHA-256 stands for the KEM prekey's 1,262 bytes.",
    prekey_cases, derive_bundle, check_bundle};

}  // namespace sotto::vectors
