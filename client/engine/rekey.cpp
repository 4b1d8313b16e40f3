// What waits for a contact whose key was replaced by a person's decision.

#include "outbox.hpp"
#include "tokens.hpp"

namespace sotto::client {

std::vector<storage::MessageId> Outbox::requeue(storage::Contact& contact, bool other_account) {
    const auto theirs = mark_of(contact.record);
    if (other_account) {
        contact.next_sequence = 1;
        contact.highest_seen = 0;
        forget_newest_tokens(core_->store, contact.id);
        // Those were owed to the old key.
        for (const auto& id : must(core_->store.owed_acknowledgements(contact.id, -1)))
            must(core_->store.clear_owed(contact.id, id));
    }
    std::vector<storage::MessageId> out;
    for (auto& item : must(core_->store.outbox_of(contact.id))) {
        if (!item.needs_acknowledgement && (other_account || is_signal(item.content))) {
            must(core_->store.remove_outbox(contact.id, item.id));
            continue;
        }
        content::Content content;
        if (!content.ParseFromArray(item.content.data(), static_cast<int>(item.content.size())))
            throw StoreFailure{{storage::Code::damaged, "a queued content doesn't parse"}};
        if (other_account) content.set_sequence(contact.next_sequence++);
        content.set_peer_record_sequence(theirs.sequence);
        content.set_peer_record_hash(to_field(theirs.hash));
        if (!content.has_introduction()) fill(*content.mutable_tokens(), tokens_for(*core_, contact));
        storage::OutboxItem fresh;
        fresh.id = item.id;
        fresh.contact = item.contact;
        fresh.content = encode(content);
        fresh.needs_acknowledgement = item.needs_acknowledgement;
        fresh.queued_at = item.queued_at;
        must(core_->store.update_outbox(fresh));
        out.push_back(item.id);
    }
    return out;
}

void Outbox::requeued(std::int64_t contact, const std::vector<storage::MessageId>& ids) {
    auto& lane = lanes_[contact];
    const auto life = lane.life + 1;
    lane = {};
    lane.life = life;
    lane.queue.assign(ids.begin(), ids.end());
    std::erase_if(accepted_, [&](const auto& accepted) { return accepted.contact == contact; });
}

}  // namespace sotto::client
