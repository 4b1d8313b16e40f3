#include "rotation.hpp"

#include "tokens.hpp"

namespace sotto::client {

Rotation::Rotation(Core& core, Outbox& outbox)
    : core_(&core), outbox_(&outbox), other_(core.shell.rng.secret<crypto::Token>()) {
    std::swap(core_->identity.shared_token, other_);
}

Rotation::~Rotation() {
    if (!committed_) std::swap(core_->identity.shared_token, other_);
}

void Rotation::write(std::int64_t except) {
    must(core_->store.put_identity(core_->identity));
    note_rotation(core_->store, core_->identity);
    for (auto& contact : must(core_->store.contacts())) {
        if (contact.blocked || contact.id == except) continue;
        contact.introduced = false;
        announced_.push_back({contact.id, outbox_->queue_tokens(contact)});
    }
}

void Rotation::committed() {
    committed_ = true;
    core_->rotation_untold = true;
    core_->tokens_stale = true;
    for (const auto& [contact, id] : announced_) outbox_->queued(contact, id);
}

}  // namespace sotto::client
