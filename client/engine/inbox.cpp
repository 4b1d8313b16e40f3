#include "inbox.hpp"

#include "paths.hpp"
#include "presence_keys.hpp"
#include "sentences.hpp"
#include "tokens.hpp"

namespace sotto::client {

void Inbox::take(const storage::EnvelopeId& id, ByteView bytes) {
    if (!must(core_->store.envelope_seen(id))) process(id, bytes);
}

void Inbox::retry_quarantined() {
    core_->retry_quarantine = false;
    retrying_ = true;
    try {
        for (const auto& id : must(core_->store.quarantined())) {
            if (const auto bytes = must(core_->store.quarantined_envelope(id))) process(id, *bytes);
        }
    } catch (...) {
        retrying_ = false;
        throw;
    }
    retrying_ = false;
}

void Inbox::process(const storage::EnvelopeId& id, ByteView bytes) {
    auto envelope = crypto::Envelope::parse(bytes);
    if (!envelope) {
        set_aside(id, bytes);
        return;
    }
    const Incoming in{id, bytes, *envelope};
    const auto [found, begins] = belongs(in.envelope);
    if (begins) return accept(in, *begins);
    if (found.row == nullptr || !open(in, found)) set_aside(in);
}

bool Inbox::take_from(std::int64_t contact, const storage::EnvelopeId& id, ByteView bytes) {
    if (must(core_->store.envelope_seen(id))) return true;
    auto envelope = crypto::Envelope::parse(bytes);
    if (!envelope) return false;
    const Incoming in{id, bytes, *envelope};
    const auto found = belongs(in.envelope).found;
    return found.row != nullptr && found.row->contact == contact && open(in, found);
}

Inbox::Belongs Inbox::belongs(const crypto::Envelope& envelope) {
    if (!envelope.has_handshake()) return {core_->sessions.find(envelope), std::nullopt};
    auto header = crypto::parse_handshake(envelope);
    if (!header) return {};
    if (const auto known = must(core_->store.replay(header->replay_id)))
        return {core_->sessions.find_in(*known, envelope), std::nullopt};
    if (const auto found = core_->sessions.find(envelope); found.row != nullptr) return {found, std::nullopt};
    return {{}, *header};
}

void Inbox::done_with(const Incoming& in) {
    must(core_->store.remember_envelope(in.id, core_->shell.wall));
    if (retrying_) must(core_->store.release_quarantined(in.id));
}

void Inbox::warn(Error error, std::int64_t contact) {
    if (!retrying_) core_->shell.warn(std::move(error), contact);
}

void Inbox::set_aside(const Incoming& in) {
    set_aside(in.id, in.bytes);
}

void Inbox::set_aside(const storage::EnvelopeId& id, ByteView bytes) {
    if (retrying_) return;  // there it is already
    auto transaction = core_->store.begin();
    must(core_->store.quarantine(id, bytes, core_->shell.wall));
    must(core_->store.remember_envelope(id, core_->shell.wall));
    must(transaction.commit());
}

void Inbox::drop(const Incoming& in) {
    auto transaction = core_->store.begin();
    done_with(in);
    must(transaction.commit());
}

bool Inbox::open(const Incoming& in, SessionBook::Found found) {
    const auto& row = *found.row;
    auto contact = must(core_->store.contact(row.contact));
    if (!contact) return false;
    if (contact->blocked) {
        drop(in);
        return true;
    }
    const auto session = row.session.id();
    std::optional<crypto::MessageKey> kept;
    if (found.match.needs) kept = must(core_->store.kept_key(session, *found.match.needs));
    auto opened = row.session.open(in.envelope, found.match, kept ? &*kept : nullptr, core_->shell.wall,
                                   core_->shell.rng);
    if (!opened) {
        if (opened.error() == crypto::Error::duplicate) {
            drop(in);
            return true;
        }
        if (opened.error() == crypto::Error::gap_too_large) {
            // Stuck: it still receives what it can, the next content of ours begins another session.
            auto transaction = core_->store.begin();
            must(core_->store.archive_session(session, true));
            must(transaction.commit());
            core_->sessions.set_archived(session, true);
        }
        return false;
    }

    auto transaction = core_->store.begin();
    const bool was_joining = contact->state == storage::ContactState::joining;
    storage::SessionRow next{std::move(opened->next), row.contact, row.device, row.archived};
    After after;
    after.device = next.device;
    store_opened(next, *opened);
    take_content(*contact, *opened, in.envelope.has_handshake() ? Handshake::repeated : Handshake::none,
                 after);
    if (was_joining && contact->state == storage::ContactState::joining && next.session.initiator()) {
        // Their device has opened what we sent under the link's fingerprint: the link has done its work.
        contact->state = storage::ContactState::confirmed;
        contact->invite_secret.reset();
        contact->invite_claim.reset();
        after.contact_changed = true;
        after.notices.emplace_back(ContactChanged{contact->id, contact->state});
    }
    must(core_->store.update_contact(*contact));
    done_with(in);
    must(transaction.commit());
    ++core_->changes;
    core_->sessions.put(std::move(next));
    finish(*contact, std::move(after));
    return true;
}

void Inbox::store_opened(const storage::SessionRow& row, const crypto::Opened& opened) {
    const auto id = row.session.id();
    must(core_->store.put_session(row, core_->shell.wall));
    for (const auto chain : opened.dropped_chains) must(core_->store.delete_kept_chain(id, chain));
    if (opened.used) must(core_->store.delete_kept_key(id, *opened.used));
    for (const auto& key : opened.kept) must(core_->store.put_kept_key(id, key, core_->shell.wall));
}

void Inbox::take_content(storage::Contact& contact, const crypto::Opened& opened, Handshake handshake,
                         After& after) {
    note_heard(contact, core_->shell.wall);
    // Only who has opened one of ours leaves the handshake away, and until then all of ours carry our tokens.
    // Tokens that were replaced since need their word.
    if (handshake == Handshake::none && !contact.introduced && !told_tokens(core_->store, contact.id)) {
        contact.introduced = true;
        core_->tokens_stale = true;
    }
    auto received = parse_content(opened.content, conversation_id(core_->identity.address, contact.address));
    if (!received) {
        after.notices.emplace_back(
            Warning{{Exit::network,
                     say("{} sent something out of shape; it was not taken in. Ask which version they use.",
                         contact.name)},
                    contact.id});
        return;
    }
    compare_records(contact, *received, after);
    if (received->introduction) take_introduction(contact, *received, handshake == Handshake::begins, after);
    take_kind(contact, *received, opened.content, opened.late, after);
    contact.highest_seen = std::max(contact.highest_seen, received->sequence);
}

void Inbox::take_kind(storage::Contact& contact, Received& received, ByteView whole, bool late,
                      After& after) {
    if (received.known && received.kind == kind_acknowledgement) {
        for (const auto& id : received.acknowledged) {
            const auto item = must(core_->store.outbox_item(contact.id, id));
            if (!item) continue;
            tokens_acknowledged(*core_, contact, *item);
            must(core_->store.remove_outbox(contact.id, id));
            must(core_->store.set_message_state(id, storage::MessageState::delivered));
            after.settled.push_back(id);
            if (must(core_->store.message(contact.id, storage::Direction::outgoing, id)))
                after.notices.emplace_back(MessageProgress{contact.id, id, storage::MessageState::delivered});
        }
        return;
    }
    if (received.known && received.direct) {
        // Good for now or not at all, so nobody waits for word of it.
        after.direct = std::move(received.direct);
        return;
    }
    // A repeat owes another acknowledgement: the first one may have been lost.
    must(core_->store.owe_acknowledgement(contact.id, received.id));
    after.owe = true;
    if (received.known && received.kind == kind_reset) {
        if (must(core_->store.remember_content(contact.id, received.id, core_->shell.wall))) {
            // Their count begins where their copy ended.
            contact.highest_seen = received.sequence;
            forget_newest_presence_key(core_->store, contact.id);
            after.notices.emplace_back(Warning{was_restored(contact.name), contact.id});
        }
        return;
    }
    if (received.known && received.presence_key)
        take_presence_key(core_->store, contact.id, *received.presence_key, received.sequence);
    if (received.known && received.kind != kind_text) {
        std::ignore = must(core_->store.remember_content(contact.id, received.id, core_->shell.wall));
        return;
    }
    storage::Message message;
    message.id = received.id;
    message.contact = contact.id;
    message.direction = storage::Direction::incoming;
    message.kind = received.kind;
    message.text = received.text;
    if (!received.known) {
        message.text.clear();
        message.raw = to_bytes(whole);
    }
    message.sequence = received.sequence;
    message.sent_at = received.sent_at;
    message.received_at = core_->shell.wall;
    message.state = storage::MessageState::received;
    message.late = late || received.sequence < contact.highest_seen;
    if (!must(core_->store.add_message(message))) return;
    const auto expected = contact.highest_seen + 1;
    const auto missing = received.sequence > expected ? received.sequence - expected : 0;
    after.notices.emplace_back(MessageArrived{contact.id, message.row, missing});
}

void Inbox::take_introduction(storage::Contact& contact, const Received& received, bool anew, After& after) {
    if (!received.introduction) return;
    const auto& introduction = *received.introduction;
    const bool same = contact.server_host == introduction.endpoint.host &&
                      contact.server_port == introduction.endpoint.port &&
                      contact.server_pin == introduction.endpoint.pin &&
                      contact.their_shared_token == introduction.shared_token &&
                      contact.their_recovery_token == introduction.recovery_token;
    if (same && !anew) return;
    if (!newest_tokens(core_->store, contact.id, received.sequence, anew) || same) return;
    contact.server_host = introduction.endpoint.host;
    contact.server_port = introduction.endpoint.port;
    contact.server_pin = introduction.endpoint.pin;
    contact.their_shared_token = introduction.shared_token;
    contact.their_recovery_token = introduction.recovery_token;
    after.contact_changed = true;
}

void Inbox::compare_records(storage::Contact& contact, const Received& received, After& after) {
    const auto pinned = mark_of(contact.record);
    if (received.record_sequence > pinned.sequence) after.check_records = true;
    if (received.record_sequence == pinned.sequence && received.record_hash != pinned.hash &&
        contact.state != storage::ContactState::changed) {
        // Only its hash is known: the record itself is fetched, so that a person can decide.
        for (auto& notice : set_changed(*core_, contact, {})) after.notices.push_back(std::move(notice));
        after.check_records = true;
    }
    const auto& own = core_->record;
    const auto sequence = received.peer_record_sequence;
    if (sequence > own.body().sequence ||
        (sequence == own.body().sequence && received.peer_record_hash != own.hash())) {
        after.notices.emplace_back(Warning{
            {Exit::untrusted, say("{} was shown another record of your account than this device has; compare "
                                  "safety numbers by another way before you go on.",
                                  contact.name)},
            contact.id});
    }
}

void Inbox::finish(const storage::Contact& contact, After after) {
    for (const auto& id : after.settled) outbox_->settled(contact.id, id);
    if (after.owe) outbox_->owe();
    if (after.contact_changed) outbox_->contact_changed(contact.id);
    if (after.check_records) checks_->check(contact.id);
    for (auto& notice : after.notices) core_->shell.tell(std::move(notice));
    if (after.direct && core_->paths != nullptr)
        core_->paths->signalled(contact.id, after.device, std::move(*after.direct),
                                core_->backlog || retrying_);
}

}  // namespace sotto::client
