#include "keyserver/core/directory.hpp"

#include <algorithm>

namespace sotto::keyserver {
namespace {

[[nodiscard]] bool wrong_day(std::uint32_t day, std::uint32_t today) {
    return day > today + limits::clock_skew_days || day + crypto::signed_prekey_refused_days < today;
}

/// One-time prekeys in the order of their ids; malformed where one is repeated.
[[nodiscard]] bool sort_by_id(std::vector<OneTimeRow>& rows) {
    std::ranges::sort(rows, {}, &OneTimeRow::id);
    return std::ranges::adjacent_find(rows, {}, &OneTimeRow::id) == rows.end();
}

[[nodiscard]] Answer<Bytes> checked_kem(const std::string& bytes, crypto::KemPrekeyKind kind,
                                        std::uint32_t device, const crypto::DeviceSigningKey& signer,
                                        std::uint32_t today, std::uint32_t* id) {
    const auto prekey = crypto::KemPrekey::decode(bytes_of(bytes));
    if (!prekey || prekey->kind != kind || prekey->device != device || prekey->id == 0 ||
        wrong_day(prekey->day, today) || !prekey->verify(signer))
        return refuse(wire::FAILURE_MALFORMED);
    if (id != nullptr) *id = prekey->id;
    return to_bytes(bytes_of(bytes));
}

/// Those above the highest id that was ever published: the rest is a repetition of a publication whose answer
/// was lost.
[[nodiscard]] std::vector<OneTimeRow> unpublished(const std::vector<OneTimeRow>& rows,
                                                  std::uint32_t highest) {
    std::vector<OneTimeRow> out;
    std::ranges::copy_if(rows, std::back_inserter(out), [&](const auto& row) { return row.id > highest; });
    return out;
}

}  // namespace

RecordPage fetch_records(Stores& stores, AccountId account, std::uint64_t from) {
    RecordPage page;
    if (from == 0) {
        auto newest = stores.accounts.newest_record(account);
        if (newest) page.records.push_back(std::move(newest->bytes));
        return page;
    }
    auto rows = stores.accounts.records_from(account, from, protocol::max_records_per_reply + 1);
    page.more = rows.size() > protocol::max_records_per_reply;
    if (page.more) rows.pop_back();
    for (auto& row : rows) page.records.push_back(std::move(row.bytes));
    return page;
}

Answer<CheckedPrekeys> check_prekeys(const wire::PublishPrekeys& request, std::uint32_t device,
                                     const crypto::DeviceSigningKey& signer, std::uint32_t today) {
    constexpr auto most = static_cast<int>(crypto::prekey_batch);
    if (request.one_time_size() > most || request.one_time_kem_size() > most)
        return refuse(wire::FAILURE_TOO_LARGE);
    CheckedPrekeys out;
    out.replace = request.replace();
    if (!request.signed_prekey().empty()) {
        const auto prekey = crypto::SignedPrekey::decode(bytes_of(request.signed_prekey()));
        if (!prekey || prekey->device != device || prekey->id == 0 || wrong_day(prekey->day, today) ||
            !prekey->verify(signer))
            return refuse(wire::FAILURE_MALFORMED);
        out.signed_prekey = *prekey;
    }
    if (!request.last_resort().empty()) {
        auto bytes = checked_kem(request.last_resort(), crypto::KemPrekeyKind::last_resort, device, signer,
                                 today, nullptr);
        if (!bytes) return std::unexpected(bytes.error());
        out.last_resort = *std::move(bytes);
    }
    for (const auto& encoded : request.one_time()) {
        const auto prekey = crypto::OneTimePrekey::decode(bytes_of(encoded));
        if (!prekey || prekey->id == 0) return refuse(wire::FAILURE_MALFORMED);
        out.one_time.push_back({.id = prekey->id, .bytes = to_bytes(bytes_of(encoded))});
    }
    for (const auto& encoded : request.one_time_kem()) {
        std::uint32_t id = 0;
        auto bytes = checked_kem(encoded, crypto::KemPrekeyKind::one_time, device, signer, today, &id);
        if (!bytes) return std::unexpected(bytes.error());
        out.one_time_kem.push_back({.id = id, .bytes = *std::move(bytes)});
    }
    if (!sort_by_id(out.one_time) || !sort_by_id(out.one_time_kem)) return refuse(wire::FAILURE_MALFORMED);
    return out;
}

Answer<void> publish_prekeys(Stores& stores, DeviceKey key, const CheckedPrekeys& prekeys) {
    auto one_time = stores.prekeys.one_time_state(key, OneTimeKind::x25519);
    auto one_time_kem = stores.prekeys.one_time_state(key, OneTimeKind::kem);
    if (prekeys.replace) one_time.left = one_time_kem.left = 0;
    const auto added = unpublished(prekeys.one_time, one_time.highest);
    const auto added_kem = unpublished(prekeys.one_time_kem, one_time_kem.highest);
    if (one_time.left + added.size() > protocol::max_one_time_prekeys ||
        one_time_kem.left + added_kem.size() > protocol::max_one_time_prekeys)
        return refuse(wire::FAILURE_TOO_LARGE);

    if (prekeys.signed_prekey) {
        const auto& next = *prekeys.signed_prekey;
        const auto record = stores.accounts.records_from(key.account, next.record_sequence, 1);
        if (record.size() != 1 || record.front().sequence != next.record_sequence ||
            record.front().hash != next.record_hash)
            return refuse(wire::FAILURE_STALE);
        if (next.day < stores.prekeys.published(key).signed_day) return refuse(wire::FAILURE_STALE);
        stores.prekeys.set_signed(key, next.encode(), next.day);
    }
    if (prekeys.last_resort) stores.prekeys.set_last_resort(key, *prekeys.last_resort);
    if (prekeys.replace) stores.prekeys.remove_one_time(key);
    if (!added.empty()) stores.prekeys.add_one_time(key, OneTimeKind::x25519, added);
    if (!added_kem.empty()) stores.prekeys.add_one_time(key, OneTimeKind::kem, added_kem);
    return {};
}

PrekeyCounter::PrekeyCounter(const Clock& clock, const Limits& limits)
    : clock_(&clock),
      open_(limits.open_prekeys_burst, limits.open_prekeys_per_second, limits::limited_targets),
      credential_(limits.credential_prekeys_burst, limits.credential_prekeys_per_second,
                  limits::limited_targets) {}

void PrekeyCounter::retune(const Limits& limits) {
    open_.retune(limits.open_prekeys_burst, limits.open_prekeys_per_second);
    credential_.retune(limits.credential_prekeys_burst, limits.credential_prekeys_per_second);
}

Answer<Bundle> PrekeyCounter::fetch(Stores& stores, DeviceKey key, bool by_credential) {
    const auto device = stores.accounts.device(key);
    if (!device || device->removed) return refuse(wire::FAILURE_NO_DEVICE);
    auto published = stores.prekeys.published(key);
    auto record = stores.accounts.newest_record(key.account);
    if (!record || !published.signed_prekey || !published.last_resort)
        return refuse(wire::FAILURE_NO_PREKEYS);

    Bundle bundle;
    bundle.record = std::move(record->bytes);
    bundle.signed_prekey = *std::move(published.signed_prekey);
    auto& limit = by_credential ? credential_ : open_;
    if (limit.take(key, clock_->steady_ms())) {
        bundle.one_time = stores.prekeys.take_one_time(key, OneTimeKind::x25519).value_or(Bytes{});
        bundle.kem_prekey = stores.prekeys.take_one_time(key, OneTimeKind::kem).value_or(Bytes{});
    }
    bundle.last_resort = bundle.kem_prekey.empty();
    if (bundle.last_resort) bundle.kem_prekey = *std::move(published.last_resort);
    bundle.one_time_left = stores.prekeys.one_time_state(key, OneTimeKind::x25519).left;
    bundle.one_time_kem_left = stores.prekeys.one_time_state(key, OneTimeKind::kem).left;
    return bundle;
}

}  // namespace sotto::keyserver
