// First messages: handshakes of somebody who used one of our links, or of a contact who begins anew.
// docs/protocol.md sections 6 (R1 to R6) and 13.

#include "inbox.hpp"
#include "prekeys.hpp"
#include "presence_keys.hpp"
#include "tokens.hpp"

namespace sotto::client {

void Inbox::accept(const Incoming& in, const crypto::HandshakeHeader& header) {
    using storage::PrekeyKind;
    const bool one_time_kem = header.kem_kind == crypto::KemPrekeyKind::one_time;
    const auto kem_kind = one_time_kem ? PrekeyKind::one_time_kem : PrekeyKind::last_resort;

    // R1: the secrets that it was made for.
    const auto record = must(core_->store.own_record(header.record_sequence));
    const auto signed_stored = must(core_->store.prekey(PrekeyKind::signed_prekey, header.signed_prekey));
    const auto kem_stored = must(core_->store.prekey(kem_kind, header.kem_prekey));
    std::optional<crypto::OneTimePrekeyPair> one_time;
    if (header.one_time_prekey) {
        const auto stored = must(core_->store.prekey(PrekeyKind::one_time, *header.one_time_prekey));
        if (!stored) return set_aside(in);
        one_time.emplace(one_time_prekey_of(*stored));
    }
    if (!record || !signed_stored || !kem_stored) return set_aside(in);
    const auto signed_prekey = signed_prekey_of(*signed_stored);
    const auto kem_prekey = kem_prekey_of(*kem_stored);

    // R2 to R5: all or nothing; nothing is stored or spent before the body has opened.
    auto accepted = crypto::accept({*record, core_->identity.device, core_->identity.identity_key},
                                   {signed_prekey, one_time ? &*one_time : nullptr, kem_prekey}, in.envelope,
                                   core_->shell.wall, core_->shell.rng);
    if (!accepted) return set_aside(in);

    const auto& address = accepted->initiator.body().address;
    if (address == core_->identity.address) return set_aside(in);
    auto contact = must(core_->store.contact_by_address(address));
    // Also by a link of ours: it opens no door to whom it was shut.
    if (contact && contact->blocked) return drop(in);
    if (contact && !acceptable(*accepted, *contact)) return set_aside(in);

    const auto use = judge_invite(*accepted, contact ? contact->id : 0);
    if (use == InviteUse::refused) return set_aside(in);
    // Nobody who isn't a contact gets in without a link of ours.
    if (!contact && use != InviteUse::good) return set_aside(in);
    if (!contact) contact = new_contact(*accepted);
    accept_from(in, header, std::move(*accepted), std::move(*contact), use == InviteUse::good);
}

bool Inbox::acceptable(const crypto::Accepted& accepted, const storage::Contact& contact) {
    using crypto::RecordChange;
    const auto pinned = crypto::AccountRecord::parse(contact.record);
    if (!pinned) throw StoreFailure{{storage::Code::damaged, "a pinned record doesn't parse"}};
    switch (crypto::compare(*pinned, accepted.initiator)) {
        case RecordChange::same:
        case RecordChange::successor:
        case RecordChange::gap:
            return true;
        case RecordChange::older:
        case RecordChange::other_address:
            return false;
        case RecordChange::other_key:
        case RecordChange::conflict:
            break;
    }
    // Asked about once, when it came: a person's refusal is not asked about again by what was set aside.
    if (contact.state == storage::ContactState::changed || retrying_) return false;
    // The record signs itself: anybody who may write to us can make one. Whether the contact has another key,
    // their own server has to say; the tokens inside are the right to ask it.
    warn({Exit::untrusted,
          say("A first message in the name of {} came with another key and was set aside; ask them by "
              "another way before you trust anything new from them.",
              contact.name)},
         contact.id);
    const auto received =
        parse_content(accepted.first.content, conversation_id(core_->identity.address, contact.address));
    if (received && received->introduction)
        checks_->check_other(contact.id, accepted.initiator, received->introduction->shared_token);
    return false;
}

Inbox::InviteUse Inbox::judge_invite(const crypto::Accepted& accepted, std::int64_t contact) {
    if (!accepted.invite) return InviteUse::none;
    const auto invite = must(core_->store.invite(accepted.invite->id));
    if (!invite || !crypto::invite_proof_matches(invite->secret, accepted.first.next.id(), *accepted.invite))
        return InviteUse::refused;
    if (invite->used_by != 0 && invite->used_by != contact) {
        warn({Exit::untrusted,
              "A second person used a link of yours that works once; their message was set "
              "aside. If you expect somebody, send them a new link by another way."});
        return InviteUse::refused;
    }
    if (invite->used_by == 0 && invite->expires_at <= core_->shell.wall) {
        warn({Exit::input,
              "Somebody used a link of yours that has expired; their message was set aside. If you "
              "expect somebody, send them a new link."});
        return InviteUse::refused;
    }
    return InviteUse::good;
}

storage::Contact Inbox::new_contact(const crypto::Accepted& accepted) {
    const auto& body = accepted.initiator.body();
    storage::Contact contact;
    contact.name = body.address.user;
    for (int n = 2; must(core_->store.contact_by_name(contact.name)); ++n)
        contact.name = say("{}-{}", body.address.user, n);
    contact.address = body.address;
    contact.record = to_bytes(accepted.initiator.bytes());
    contact.state = storage::ContactState::claimed;
    contact.our_recovery_token = core_->shell.rng.bytes<32>();
    contact.added_at = core_->shell.wall;
    return contact;
}

void Inbox::accept_from(const Incoming& in, const crypto::HandshakeHeader& header, crypto::Accepted accepted,
                        storage::Contact contact, bool by_invite) {
    auto transaction = core_->store.begin();
    After after;
    const bool is_new = contact.id == 0;
    if (is_new) {
        must(core_->store.add_contact(contact));
        after.notices.emplace_back(ContactChanged{contact.id, contact.state});
        core_->tokens_stale = true;
    }
    if (by_invite && accepted.invite) {
        must(core_->store.use_invite(accepted.invite->id, contact.id));
        keep_used_invite(core_->store, accepted.invite->id);
        core_->tokens_stale = true;
    }
    if (mark_of(contact.record).sequence < accepted.initiator.body().sequence) {
        const auto pinned = crypto::AccountRecord::parse(contact.record);
        if (pinned && crypto::compare(*pinned, accepted.initiator) == crypto::RecordChange::successor)
            contact.record = to_bytes(accepted.initiator.bytes());
        else
            after.check_records = true;  // links are missing: each has to be seen
    }
    // They have begun a session: what they know of us may be gone, so our tokens ride again.
    contact.introduced = false;
    forget_own_presence_key(core_->store, contact.id);

    // R6: session, replay id, spent keys, message, all in this transaction.
    storage::SessionRow row{std::move(accepted.first.next), contact.id, accepted.device, false};
    const auto id = row.session.id();
    const auto* before = core_->sessions.active(contact.id);
    const bool anew = before != nullptr && !before->session.awaiting_reply();
    const auto removed = make_room(contact, accepted.device, id, row.archived);
    store_opened(row, accepted.first);
    must(core_->store.put_replay({header.replay_id, id}, core_->shell.wall));
    if (header.one_time_prekey)
        must(core_->store.delete_prekey(storage::PrekeyKind::one_time, *header.one_time_prekey));
    if (header.kem_kind == crypto::KemPrekeyKind::one_time)
        must(core_->store.delete_prekey(storage::PrekeyKind::one_time_kem, header.kem_prekey));

    take_content(contact, accepted.first, Handshake::begins, after);
    if (contact.state == storage::ContactState::joining) {
        // We had used a link of theirs: the pinned key is the link's, and they hold it.
        contact.state = storage::ContactState::confirmed;
        contact.invite_secret.reset();
        contact.invite_claim.reset();
        after.contact_changed = true;
        after.notices.emplace_back(ContactChanged{contact.id, contact.state});
    }
    must(core_->store.update_contact(contact));
    done_with(in);
    must(transaction.commit());

    for (const auto& session : removed) core_->sessions.remove(session);
    if (!row.archived) {
        for (auto* other : core_->sessions.of(contact.id, row.device)) other->archived = true;
    }
    core_->sessions.put(std::move(row));
    ++core_->changes;
    core_->retry_quarantine = true;
    outbox_->contact_changed(contact.id);
    if (anew) repair_->begun_anew(contact.id);
    if (contact.state == storage::ContactState::claimed) after.check_records = true;
    finish(contact, std::move(after));
}

std::vector<crypto::SessionId> Inbox::make_room(const storage::Contact& contact, std::uint32_t device,
                                                const crypto::SessionId& accepted, bool& archived) {
    auto succession = succeed(core_->sessions.of(contact.id, device), accepted);
    archived = succession.new_is_archived;
    for (const auto& id : succession.archive) must(core_->store.archive_session(id, true));
    for (const auto& id : succession.remove) must(core_->store.delete_session(id));
    return std::move(succession.remove);
}

}  // namespace sotto::client
