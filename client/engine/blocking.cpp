#include "blocking.hpp"

#include "presence_keys.hpp"
#include "rotation.hpp"
#include "sentences.hpp"

namespace sotto::client {

Error is_blocked(const storage::Contact& contact) {
    return {Exit::input,
            say("{} is blocked, and nothing is sent to them; `sotto contact unblock` lets you write again.",
                contact.name)};
}

void Blocking::drop_outbox(std::int64_t contact) {
    for (const auto& item : must(core_->store.outbox_of(contact))) {
        // What was sealed may have left: only of the rest is it known that it never will.
        if (!item.envelope_id) must(core_->store.set_message_state(item.id, storage::MessageState::failed));
        must(core_->store.remove_outbox(contact, item.id));
    }
}

void Blocking::hide_unshown(std::int64_t contact) {
    for (const auto& message : must(core_->store.unshown(-1))) {
        if (message.contact == contact) must(core_->store.mark_shown(message.row));
    }
}

std::optional<Error> Blocking::block(std::int64_t id) {
    auto contact = must(core_->store.contact(id));
    if (!contact) return no_such_contact();
    if (contact->blocked) return std::nullopt;
    Rotation rotation{*core_, *outbox_};
    auto transaction = core_->store.begin();
    contact->blocked = true;
    forget_own_presence_key(core_->store, id);
    must(core_->store.update_contact(*contact));
    drop_outbox(id);
    hide_unshown(id);
    rotation.write();
    must(transaction.commit());
    outbox_->forget(id);
    rotation.committed();
    core_->shell.tell(ContactChanged{id, contact->state});
    return std::nullopt;
}

std::optional<Error> Blocking::unblock(std::int64_t id) {
    auto contact = must(core_->store.contact(id));
    if (!contact) return no_such_contact();
    if (!contact->blocked) return std::nullopt;
    auto transaction = core_->store.begin();
    contact->blocked = false;
    contact->introduced = false;
    contact->our_recovery_token = core_->shell.rng.bytes<32>();
    const auto item = outbox_->queue_tokens(*contact);
    must(transaction.commit());
    core_->tokens_stale = true;
    outbox_->queued(id, item);
    outbox_->contact_changed(id);
    outbox_->owe();  // for what they said before they were blocked
    if (contact->state == storage::ContactState::claimed) checks_->check(id);
    core_->shell.tell(ContactChanged{id, contact->state});
    return std::nullopt;
}

std::optional<Error> Blocking::remove(std::int64_t id) {
    if (!must(core_->store.contact(id))) return no_such_contact();
    Rotation rotation{*core_, *outbox_};
    auto transaction = core_->store.begin();
    must(core_->store.remove_contact(id));
    rotation.write();
    must(transaction.commit());
    core_->sessions.remove_contact(id);
    outbox_->forget(id);
    rotation.committed();
    return std::nullopt;
}

}  // namespace sotto::client
