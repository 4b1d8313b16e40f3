#include "keyserver/core/accounts.hpp"

#include <algorithm>

#include "keyserver/core/limits.hpp"
#include "sotto/crypto/hash.hpp"

namespace sotto::keyserver {
namespace {

constexpr crypto::Label invite_label = "Sotto/1/registration-invite";

[[nodiscard]] bool from_the_future(const crypto::AccountRecord& record, std::uint32_t today) {
    return record.body().day > today + limits::clock_skew_days;
}

}  // namespace

Array<32> registration_invite_hash(std::string_view invite) {
    return crypto::hash(invite_label, {bytes_of(invite)});
}

LoginFacts read_login(Stores& stores, const std::string& user, std::uint32_t device) {
    auto account = stores.accounts.find(user).value_or(AccountRow{});
    if (!account.active) account = {};
    const DeviceKey key{.account = account.id, .device = device};
    const auto row = stores.accounts.device(key);
    const auto record = stores.accounts.newest_record(key.account).value_or(RecordRow{});
    LoginFacts facts{
        .record_sequence = record.sequence,
        .record_hash = record.hash,
        .one_time = stores.prekeys.one_time_state(key, OneTimeKind::x25519),
        .one_time_kem = stores.prekeys.one_time_state(key, OneTimeKind::kem),
        .signed_day = stores.prekeys.published(key).signed_day,
        .waiting = static_cast<std::uint32_t>(stores.mailbox.use(key).envelopes),
        .generation = row ? row->generation : 0,
    };
    if (row && !row->removed) {
        facts.account = key.account;
        facts.signing_key = row->signing_key;
    }
    return facts;
}

bool may_register(const crypto::AccountRecord& record, const std::string& server_name, std::uint32_t device,
                  std::uint32_t today) {
    const auto& body = record.body();
    return body.sequence == 1 && body.address.server == server_name && body.devices.size() == 1 &&
           body.devices.front().id == device && !body.predecessor && !from_the_future(record, today);
}

Answer<LoginFacts> register_account(Stores& stores, const crypto::AccountRecord& record, const Policy& policy,
                                    const std::string& invite, const Clock& clock) {
    const auto mode = policy.registration;
    const auto& user = record.body().address.user;
    const auto& device = record.body().devices.front();
    const auto taken = stores.accounts.find(user);
    if (taken) {
        const auto first = stores.accounts.records_from(taken->id, 1, 1);
        if (first.size() == 1 && first.front().hash == record.hash()) {
            auto facts = read_login(stores, user, device.id);
            if (facts.account != 0) return facts;
        }
    }
    if (mode == Registration::closed) return refuse(wire::FAILURE_REGISTRATION_CLOSED);

    const auto hash = registration_invite_hash(invite);
    if (mode == Registration::invite) {
        auto held = stores.invites.find(hash);
        const bool good =
            held && held->expires > unix_seconds(clock) && held->tries < policy.limits.registration_tries;
        if (!good) return refuse(wire::FAILURE_INVITE_BAD);
        if (taken) stores.invites.set_tries(hash, held->tries + 1);
    }
    if (taken) return refuse(wire::FAILURE_NAME_TAKEN);

    if (mode == Registration::invite) stores.invites.remove(hash);
    const auto account = stores.accounts.add(user, unix_day(clock));
    stores.accounts.add_record(account, record);
    stores.accounts.add_device({.account = account, .device = device.id}, device.signing_key);
    return read_login(stores, user, device.id);
}

Answer<std::vector<std::uint32_t>> publish_record(Stores& stores, AccountId account,
                                                  const crypto::AccountRecord& next, std::uint32_t today) {
    const auto row = stores.accounts.newest_record(account);
    if (!row) return refuse(wire::FAILURE_INTERNAL);
    const auto held = crypto::AccountRecord::parse(row->bytes);
    if (!held) return refuse(wire::FAILURE_INTERNAL);
    switch (crypto::compare(*held, next)) {
        case crypto::RecordChange::same:
            return std::vector<std::uint32_t>{};
        case crypto::RecordChange::successor:
            break;
        case crypto::RecordChange::other_address:
            return refuse(wire::FAILURE_MALFORMED);
        default:
            return refuse(wire::FAILURE_STALE);
    }
    if (from_the_future(next, today)) return refuse(wire::FAILURE_MALFORMED);

    const auto known = stores.accounts.devices(account);
    std::vector<const crypto::Device*> added;
    for (const auto& device : next.body().devices) {
        const auto before = std::ranges::find(known, device.id, &DeviceRow::device);
        if (before == known.end()) {
            added.push_back(&device);
            continue;
        }
        // An id belongs to one device for ever: neither back from the dead nor under another key.
        if (before->removed || before->signing_key != device.signing_key.encode())
            return refuse(wire::FAILURE_STALE);
    }
    std::vector<std::uint32_t> removed;
    for (const auto& device : known)
        if (!device.removed && next.device(device.device) == nullptr) removed.push_back(device.device);

    stores.accounts.add_record(account, next);
    for (const auto* device : added)
        stores.accounts.add_device({.account = account, .device = device->id}, device->signing_key);
    for (const auto device : removed) stores.accounts.remove_device({.account = account, .device = device});
    return removed;
}

}  // namespace sotto::keyserver
