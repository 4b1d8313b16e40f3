#include "person.hpp"

#include "world.hpp"

namespace sotto::vectors {
namespace {

using namespace crypto;  // NOLINT(google-build-using-namespace): nearly every name here is of there

template <class Pair>
Pair pair_from(const Json& given, const char* field) {
    return Pair{secret<typename Pair::Seed>(given, field)};
}

AccountRecord first_record(const Person& who, const std::string& address) {
    const RecordBody body{must(Address::parse(address), "address"),
                          1,
                          {},
                          who.day,
                          who.account.public_key(),
                          std::nullopt,
                          {Device{who.device, who.signing.public_key(), who.identity.public_key(), {1}}},
                          {}};
    return must(AccountRecord::sign(body, who.account), "record");
}

Json inputs_of(const char* address, std::uint32_t device, std::uint32_t first_id, Rng& rng) {
    return {{"address", address},
            {"device", device},
            {"day", 19995},
            {"account_seed", hex(rng.bytes<32>())},
            {"signing_seed", hex(rng.bytes<32>())},
            {"identity_secret", hex(rng.bytes<32>())},
            {"signed_prekey_id", first_id},
            {"signed_prekey_secret", hex(rng.bytes<32>())},
            {"one_time_prekey_id", first_id + 1},
            {"one_time_prekey_secret", hex(rng.bytes<32>())},
            {"kem_one_time_id", first_id + 2},
            {"kem_one_time_seed", hex(rng.bytes<64>())},
            {"kem_last_resort_id", first_id + 3},
            {"kem_last_resort_seed", hex(rng.bytes<64>())}};
}

Json people_cases(const World& world) {
    return Json::array(
        {new_case("alice", inputs_of("alice@chat.example", 1, 101, *world.fresh())),
         new_case("bob", inputs_of("bob@[2001:db8::7]", 4000000000, 4294967292, *world.fresh()))});
}

Json derive_person(Json& given, const World& /*world*/) {
    const Person who{given};
    const auto bundle = who.bundle(true, "kem_one_time");
    return {{"account_key", hex(who.account.public_key().encode())},
            {"signing_key", hex(who.signing.public_key().encode())},
            {"identity_key", hex(who.identity.public_key().encode())},
            {"record", hex(who.record.bytes())},
            {"record_hash", hex(who.record.hash())},
            {"signed_prekey", hex(bundle.signed_prekey.encode())},
            {"one_time_prekey", hex(bundle.one_time_prekey->encode())},
            {"kem_one_time", hex(bundle.kem_prekey.encode())},
            {"kem_one_time_of_zeros", rejection(who.kem_one_time.seed().expose())},
            {"kem_last_resort", hex(who.bundle(true, "kem_last_resort").kem_prekey.encode())},
            {"kem_last_resort_of_zeros", rejection(who.kem_last.seed().expose())}};
}

void expect_signed(const Json& derived, const char* field, FixedView<32> key, Label label) {
    const auto whole = bytes(derived, field);
    const ByteView view{whole};
    expect_that(detail::verify(key, label, view.first(view.size() - 64), FixedView<64>{view.last(64)}),
                std::string{field} + ": its signature");
}

void check_person(const Json& given, const Json& derived, const World& /*world*/) {
    const Person who{given};
    expect(derived, "record_hash", crypto::hash("Sotto/1/record-hash", {bytes(derived, "record")}));
    expect_signed(derived, "record", who.account.public_key().raw(), "Sotto/1/account-record");
    const auto signing = who.signing.public_key().raw();
    expect_signed(derived, "signed_prekey", signing, "Sotto/1/signed-prekey");
    expect_signed(derived, "kem_one_time", signing, "Sotto/1/kem-prekey");
    expect_signed(derived, "kem_last_resort", signing, "Sotto/1/kem-prekey");
    expect(derived, "one_time_prekey",
           joined({u32(number<std::uint32_t>(given, "one_time_prekey_id")),
                   who.one_time.public_key().encode()}));
}

}  // namespace

const Kind people_kind{"people.json",
                       "Two people with a device each, their first account records and their prekeys "
                       "(sections 4 and 5). The other files name them. All keys are test data.",
                       people_cases, derive_person, check_person};

Person::Person(const Json& given)
    : device(number<std::uint32_t>(given, "device")),
      day(number<std::uint32_t>(given, "day")),
      account(pair_from<AccountKeyPair>(given, "account_seed")),
      signing(pair_from<DeviceSigningKeyPair>(given, "signing_seed")),
      identity(pair_from<IdentityKeyPair>(given, "identity_secret")),
      signed_prekey_id(number<std::uint32_t>(given, "signed_prekey_id")),
      signed_prekey(pair_from<SignedPrekeyPair>(given, "signed_prekey_secret")),
      one_time_id(number<std::uint32_t>(given, "one_time_prekey_id")),
      one_time(pair_from<OneTimePrekeyPair>(given, "one_time_prekey_secret")),
      kem_one_time_id(number<std::uint32_t>(given, "kem_one_time_id")),
      kem_one_time(secret<KemSeed>(given, "kem_one_time_seed")),
      kem_last_id(number<std::uint32_t>(given, "kem_last_resort_id")),
      kem_last(secret<KemSeed>(given, "kem_last_resort_seed")),
      record(first_record(*this, text(given, "address"))) {}

KemPrekey Person::kem_prekey(KemPrekeyKind kind, std::uint32_t made_on) const {
    const bool once = kind == KemPrekeyKind::one_time;
    return KemPrekey::make(kind, once ? kem_one_time_id : kem_last_id, once ? kem_one_time : kem_last,
                           made_on, device, signing);
}

PrekeyBundle Person::bundle(bool with_one_time, const std::string& kem) const {
    expect_that(kem == "kem_one_time" || kem == "kem_last_resort", "no such KEM prekey");
    const auto kind = kem == "kem_one_time" ? KemPrekeyKind::one_time : KemPrekeyKind::last_resort;
    PrekeyBundle out{record, device,
                     SignedPrekey::make(signed_prekey_id, signed_prekey, day, record, device, signing),
                     kem_prekey(kind, day), std::nullopt};
    if (with_one_time) out.one_time_prekey = OneTimePrekey{one_time_id, one_time.public_key()};
    return out;
}

ResponderKeys Person::keys_for(const HandshakeHeader& header) const {
    return {signed_prekey, header.one_time_prekey ? &one_time : nullptr,
            header.kem_kind == KemPrekeyKind::one_time ? kem_one_time : kem_last};
}

}  // namespace sotto::vectors
