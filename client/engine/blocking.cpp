#include "blocking.hpp"

#include "tokens.hpp"

namespace sotto::client {

namespace {

Error no_such_contact() {
    return {Exit::input, "There is no such contact; see the list of contacts."};
}

/// A shared token that nobody has yet stands in memory; the old one again unless all of it was committed.
class FreshToken {
  public:
    explicit FreshToken(Core& core) : core_(&core), other_(core.shell.rng.secret<crypto::Token>()) {
        std::swap(core_->identity.shared_token, other_);
    }
    FreshToken(const FreshToken&) = delete;
    FreshToken& operator=(const FreshToken&) = delete;
    ~FreshToken() {
        if (!committed_) std::swap(core_->identity.shared_token, other_);
    }
    void committed() { committed_ = true; }

  private:
    Core* core_;
    crypto::Token other_;
    bool committed_ = false;
};

}  // namespace

Error is_blocked(const storage::Contact& contact) {
    return {Exit::input,
            say("{} is blocked, and nothing is sent to them; `sotto contact unblock` lets you write again.",
                contact.name)};
}

std::vector<Blocking::Announced> Blocking::rotate() {
    must(core_->store.put_identity(core_->identity));
    note_rotation(core_->store, core_->identity);
    std::vector<Announced> announced;
    for (auto& contact : must(core_->store.contacts())) {
        if (contact.blocked) continue;
        contact.introduced = false;
        announced.push_back({contact.id, outbox_->queue_tokens(contact)});
    }
    return announced;
}

void Blocking::rotated(const std::vector<Announced>& announced) {
    core_->rotation_untold = true;
    core_->tokens_stale = true;
    for (const auto& [contact, id] : announced) outbox_->queued(contact, id);
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
    FreshToken fresh{*core_};
    auto transaction = core_->store.begin();
    contact->blocked = true;
    must(core_->store.update_contact(*contact));
    drop_outbox(id);
    hide_unshown(id);
    const auto announced = rotate();
    must(transaction.commit());
    fresh.committed();
    outbox_->forget(id);
    rotated(announced);
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
    FreshToken fresh{*core_};
    auto transaction = core_->store.begin();
    must(core_->store.remove_contact(id));
    const auto announced = rotate();
    must(transaction.commit());
    fresh.committed();
    core_->sessions.remove_contact(id);
    outbox_->forget(id);
    rotated(announced);
    return std::nullopt;
}

}  // namespace sotto::client
