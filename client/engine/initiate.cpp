// Beginning a session: the contact's prekeys are fetched, checked against the pinned record, and used.

#include "outbox.hpp"
#include "sentences.hpp"

namespace sotto::client {
namespace {

crypto::AccountRecord parse_pinned(ByteView bytes) {
    auto record = crypto::AccountRecord::parse(bytes);
    if (!record || record->body().devices.empty())
        throw StoreFailure{{storage::Code::damaged, "a pinned record doesn't parse"}};
    return std::move(*record);
}

/// Signatures and keys are checked once: the same bytes are the same record.
bool is(const crypto::AccountRecord& record, ByteView bytes) {
    return std::ranges::equal(record.bytes(), bytes);
}

}  // namespace

void Outbox::fetch_prekeys(std::int64_t id, Lane& lane, const storage::Contact& contact,
                           Connection& connection) {
    const auto& record = lane.pinned.emplace(parse_pinned(contact.record));
    const auto right = right_for(contact, lane.shared_refused);

    wire::Request request;
    auto& fetch = *request.mutable_fetch_prekeys();
    fetch.set_user(contact.address.user);
    fetch.set_device(record.body().devices.front().id);
    fill(*fetch.mutable_credential(), contact, right);
    lane.fetching = true;
    core_->connections.request(connection, request,
                               [this, id, right, life = lane.life](const wire::Reply* reply) {
                                   if (lanes_[id].life == life) prekeys_answered(id, right, reply);
                               });
}

void Outbox::prekeys_answered(std::int64_t id, Right right, const wire::Reply* reply) {
    auto& lane = lanes_[id];
    lane.fetching = false;
    if (reply == nullptr) return;  // asked again when there is a connection
    if (!reply->has_prekeys()) {
        refused(id, lane, right, 0, reply->failure());
        return;
    }
    auto contact = must(core_->store.contact(id));
    if (contact) begin_session(id, lane, std::move(*contact), reply->prekeys());
}

void Outbox::distrust(std::int64_t id, Lane& lane, Error error) {
    wait(lane, minute, hour);
    if (std::exchange(lane.warned, -1) != -1) core_->shell.warn(std::move(error), id);
}

void Outbox::begin_session(std::int64_t id, Lane& lane, storage::Contact contact,
                           const wire::Prekeys& prekeys) {
    using crypto::RecordChange;
    const auto forged = [&] {
        return Error{Exit::untrusted,
                     say("The server of {} hands out keys that their device didn't sign; nothing "
                         "was sent. Tell them, and ask their operator.",
                         contact.name)};
    };
    auto pinned = std::exchange(lane.pinned, std::nullopt);
    if (!pinned || !is(*pinned, contact.record)) pinned = parse_pinned(contact.record);
    const auto served = bytes_of(prekeys.record());
    crypto::Result<crypto::AccountRecord> record = *pinned;
    if (!is(*pinned, served)) record = crypto::AccountRecord::parse(served);
    auto signed_prekey = crypto::SignedPrekey::decode(bytes_of(prekeys.signed_prekey()));
    auto kem_prekey = crypto::KemPrekey::decode(bytes_of(prekeys.kem_prekey()));
    std::optional<crypto::OneTimePrekey> one_time;
    if (!prekeys.one_time().empty()) {
        const auto decoded = crypto::OneTimePrekey::decode(bytes_of(prekeys.one_time()));
        if (!decoded) return distrust(id, lane, forged());
        one_time = *decoded;
    }
    if (!record || !signed_prekey || !kem_prekey) return distrust(id, lane, forged());

    switch (crypto::compare(*pinned, *record)) {
        case RecordChange::same:
            break;
        case RecordChange::successor: {
            contact.record = to_bytes(record->bytes());
            auto transaction = core_->store.begin();
            must(core_->store.update_contact(contact));
            must(transaction.commit());
            break;
        }
        case RecordChange::gap:
            checks_->check(id);  // each link has to be seen first
            wait(lane, second, minute);
            return;
        case RecordChange::other_key:
        case RecordChange::conflict: {
            auto transaction = core_->store.begin();
            auto notices = set_changed(*core_, contact, record->bytes());
            must(transaction.commit());
            lane.stuck = true;
            for (auto& notice : notices) core_->shell.tell(std::move(notice));
            return;
        }
        case RecordChange::older:
        case RecordChange::other_address:
            return distrust(id, lane, forged());
    }

    const auto device = record->body().devices.front().id;
    const crypto::PrekeyBundle bundle{std::move(*record), device, *signed_prekey, *kem_prekey, one_time};
    std::optional<crypto::InviteSecret> invite;
    if (contact.invite_secret) invite.emplace(FixedView<32>{*contact.invite_secret});
    auto session =
        crypto::initiate({core_->record, core_->identity.device, core_->identity.identity_key}, bundle,
                         invite ? &*invite : nullptr, core_->shell.today(), core_->shell.rng);
    if (!session && session.error() == crypto::Error::stale)
        return distrust(
            id, lane,
            {Exit::untrusted, say("The keys of {} are over 60 days old; the message waits until their "
                                  "device has been online.",
                                  contact.name)});
    if (!session) return distrust(id, lane, forged());
    lane.fresh.emplace(storage::SessionRow{std::move(*session), id, device, false});
}

}  // namespace sotto::client
