// Account records: layouts, how one stands to another, what is refused. docs/protocol.md section 4.
#include <array>

#include "world.hpp"

namespace sotto::vectors {
namespace {

using namespace crypto;  // NOLINT(google-build-using-namespace): nearly every name here is of there

constexpr std::array<std::pair<const char*, RecordChange>, 7> change_names{
    {{"same", RecordChange::same},
     {"successor", RecordChange::successor},
     {"gap", RecordChange::gap},
     {"other key", RecordChange::other_key},
     {"conflict", RecordChange::conflict},
     {"older", RecordChange::older},
     {"other address", RecordChange::other_address}}};

Predecessor predecessor_of(const Json& given, const AccountKey& key, const Address& address) {
    const AccountKeyPair old{secret<AccountKeyPair::Seed>(given, "predecessor_seed")};
    return {old.public_key(), sign_succession(old, key, address)};
}

std::vector<Device> devices_in(const Json& given) {
    std::vector<Device> devices;
    for (const auto& one : given.at("devices")) {
        devices.push_back({number<std::uint32_t>(one, "id"),
                           must(DeviceSigningKey::decode(bytes(one, "signing_key")), "signing_key"),
                           must(IdentityKey::decode(bytes(one, "identity_key")), "identity_key"),
                           {}});
        for (const auto byte : bytes(one, "versions"))
            devices.back().versions.push_back(std::to_integer<std::uint8_t>(byte));
    }
    return devices;
}

AccountRecord signed_record(const Json& given) {
    const AccountKeyPair account{secret<AccountKeyPair::Seed>(given, "account_seed")};
    RecordBody body{must(Address::parse(text(given, "address")), "address"),
                    number<std::uint64_t>(given, "sequence"),
                    fixed<32>(given, "previous"),
                    number<std::uint32_t>(given, "day"),
                    account.public_key(),
                    std::nullopt,
                    devices_in(given),
                    {}};
    if (given.contains("predecessor_seed"))
        body.predecessor = predecessor_of(given, account.public_key(), body.address);
    for (const auto& one : given.at("extensions"))
        body.extensions.push_back({number<std::uint16_t>(one, "type"), bytes(one, "value")});
    return must(AccountRecord::sign(body, account), "record");
}

Json with_devices(const char* address, std::uint64_t sequence, ByteView previous, std::size_t devices,
                  Rng& rng) {
    Json given{{"address", address},
               {"sequence", sequence},
               {"previous", hex(previous)},
               {"day", 20000},
               {"account_seed", hex(rng.bytes<32>())},
               {"devices", Json::array()},
               {"extensions", Json::array()}};
    for (std::size_t i = 0; i < devices; ++i)
        given["devices"].push_back(
            {{"id", i + 1},
             {"signing_key", hex(DeviceSigningKeyPair::generate(rng).public_key().encode())},
             {"identity_key", hex(IdentityKeyPair::generate(rng).public_key().encode())},
             {"versions", i % 2 == 0 ? "01" : "010207ff"}});
    return given;
}

/// Records of one address: the second and the third of its line, another second, another account's.
struct Line {
    explicit Line(Rng& rng)
        : first(with_devices("carol@chat.example", 1, Array<32>{}, 1, rng)),
          second(next(first, signed_record(first).hash())),
          third(next(second, signed_record(second).hash())),
          other_second(next(first, Array<32>{std::byte{1}})),
          other_key(with_devices("carol@chat.example", 1, Array<32>{}, 1, rng)),
          elsewhere(first) {
        elsewhere["address"] = "carol@chat.test";
    }
    static Json next(const Json& before, ByteView previous) {
        Json given = before;
        given["sequence"] = before.at("sequence").get<int>() + 1;
        given["previous"] = hex(previous);
        return given;
    }
    Json first;
    Json second;
    Json third;
    Json other_second;
    Json other_key;
    Json elsewhere;
};

Json comparison(const Json& pinned, const Json& next) {
    return {{"pinned", hex(signed_record(pinned).bytes())}, {"next", hex(signed_record(next).bytes())}};
}

void add_comparisons(Json& cases, Rng& rng) {
    const Line line{rng};
    cases.push_back(new_case("the same record", comparison(line.second, line.second)));
    cases.push_back(new_case("the next of its line", comparison(line.first, line.second)));
    cases.push_back(new_case("a link is missing between them", comparison(line.first, line.third)));
    cases.push_back(new_case("another account key", comparison(line.first, line.other_key)));
    cases.push_back(new_case("the next number, but another link", comparison(line.first, line.other_second)));
    cases.push_back(new_case("the same number, but other bytes", comparison(line.second, line.other_second)));
    cases.push_back(new_case("an older one", comparison(line.third, line.second)));
    cases.push_back(new_case("of another address", comparison(line.first, line.elsewhere)));
}

/// Signed again after the change, so that only the layout is at fault.
Json resigned(const Json& given, const Json& change) {
    const AccountKeyPair account{secret<AccountKeyPair::Seed>(given, "account_seed")};
    const auto record = signed_record(given);
    auto body = changed(record.bytes().first(record.bytes().size() - 64), change);
    const auto signature = account.sign("Sotto/1/account-record", body);
    return {{"record", hex(joined({body, signature}))}};
}

Json altered(const Json& given, const Json& change) {
    return {{"record", hex(changed(signed_record(given).bytes(), change))}};
}

void add_refusals(Json& cases, Rng& rng) {
    auto given = with_devices("dave@chat.example", 1, Array<32>{}, 2, rng);
    given["extensions"].push_back({{"type", 5}, {"value", "0102"}});
    // Where things are in it: 1 + 2 + 17 bytes before the sequence, 97 before the devices.
    const std::size_t device = 1 + 2 + 17 + 8 + 32 + 4 + 33 + 1 + 1;
    const std::size_t second_device = device + 4 + 33 + 33 + 1 + 1;
    const std::size_t extension = second_device + 4 + 33 + 33 + 1 + 4 + 2;
    const auto refuse = [&](const char* name, const Json& record) {
        cases.push_back(new_case(name, record));
    };
    const auto at = [](std::size_t where, const char* with) { return Json{{"at", where}, {"with", with}}; };
    refuse("a bit of the signature", altered(given, at(extension + 6 + 63, "00")));
    refuse("a byte too many", altered(given, {{"append", "00"}}));
    refuse("a byte too few", altered(given, {{"cut", 1}}));
    refuse("an address that isn't canonical", resigned(given, at(3, "44")));
    refuse("sequence 0", resigned(given, at(20, "0000000000000000")));
    refuse("sequence 2 without a previous record", resigned(given, at(20, "0000000000000002")));
    refuse("sequence 1 with a previous record", resigned(given, at(28, "01")));
    refuse("an unknown format", resigned(given, at(0, "02")));
    refuse("no device", resigned(given, at(device - 1, "00")));
    refuse("devices out of order", resigned(given, at(device, "00000003")));
    refuse("device 0", resigned(given, at(device, "00000000")));
    refuse(
        "a signing key of small order",
        resigned(given, at(device + 5, "0100000000000000000000000000000000000000000000000000000000000000")));
    refuse("an identity key where a signing key belongs", resigned(given, at(device + 4, "02")));
    refuse("version 0", resigned(given, at(second_device + 71, "00")));
    refuse("versions out of order", resigned(given, at(second_device + 71, "02")));
    refuse("an unknown critical extension", resigned(given, at(extension, "8005")));
}

Json record_cases(const World& world) {
    auto& rng = *world.fresh();
    auto everything = with_devices("a0@xn--bcher-kva.example", 7, rng.bytes<32>(), 8, rng);
    everything["predecessor_seed"] = hex(rng.bytes<32>());
    everything["extensions"] =
        Json::array({{{"type", 0}, {"value", ""}}, {{"type", 32767}, {"value", "c0ffee"}}});
    auto cases =
        Json::array({new_case("the smallest", with_devices("zz@9", 1, Array<32>{}, 1, rng)),
                     new_case("eight devices, a predecessor and extensions", std::move(everything))});
    add_comparisons(cases, rng);
    add_refusals(cases, rng);
    return cases;
}

Json derive_record(Json& given, const World& /*world*/) {
    if (given.contains("pinned")) {
        const auto found = compare(must(AccountRecord::parse(bytes(given, "pinned")), "pinned"),
                                   must(AccountRecord::parse(bytes(given, "next")), "next"));
        for (const auto& [name, change] : change_names)
            if (change == found) return {{"is", name}};
    }
    if (given.contains("record")) {
        const auto record = bytes(given, "record");
        const auto parsed = AccountRecord::parse(record);
        if (parsed) throw Mismatch("a record that has to be refused");
        return {{"error", name(parsed.error())}, {"sha256", digest(record)}};
    }
    const auto record = signed_record(given);
    Json derived{{"account_key", hex(record.body().account_key.encode())},
                 {"record", hex(record.bytes())},
                 {"record_hash", hex(record.hash())}};
    if (record.body().predecessor) {
        derived["predecessor_key"] = hex(record.body().predecessor->key.encode());
        derived["predecessor_signature"] = hex(record.body().predecessor->signature);
    }
    return derived;
}

void check_record(const Json& given, const Json& derived, const World& /*world*/) {
    if (!derived.contains("record_hash")) return;
    const auto record = bytes(derived, "record");
    const ByteView view{record};
    expect(derived, "record_hash", hash("Sotto/1/record-hash", {record}));
    const auto key = must(AccountKey::decode(bytes(derived, "account_key")), "account_key");
    expect_that(
        key.verify("Sotto/1/account-record", view.first(view.size() - 64), FixedView<64>{view.last(64)}),
        "record: its signature");
    if (!given.contains("predecessor_seed")) return;
    const auto old = must(AccountKey::decode(bytes(derived, "predecessor_key")), "predecessor_key");
    const auto named = joined({key.encode(), bytes_of(text(given, "address"))});
    expect_that(old.verify("Sotto/1/account-succession", named, fixed<64>(derived, "predecessor_signature")),
                "predecessor_signature");
}

}  // namespace

const Kind record_kind{"account-record.json",
                       "Account records (section 4): layouts, how one record stands to another, and records "
                       "that are refused. SHA-256 of what is refused stands beside it.",
                       record_cases, derive_record, check_record};

}  // namespace sotto::vectors
