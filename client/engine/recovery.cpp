// Deliveries by the recovery token, once the shared one has been refused: one at a time, none over 4,096
// bytes, and nothing before the contact has been told our tokens, so that two people who both replaced theirs
// while apart find each other again. docs/protocol.md section 13.4, S5 and S7.

#include "outbox.hpp"
#include "sentences.hpp"
#include "tokens.hpp"

namespace sotto::client {

namespace {

/// A content that in its envelope has at most 4,096 bytes, with a handshake part of a record of few devices
/// or with an epoch's key.
constexpr std::size_t small_content = 1024;

bool fits(const storage::OutboxItem& item) {
    return item.envelope_id ? item.envelope.size() <= recovery_envelope_limit
                            : item.content.size() <= small_content;
}

}  // namespace

storage::MessageId Outbox::queue_tokens(storage::Contact& contact) {
    // One that hasn't been sealed says what is no longer so.
    if (const auto old = told_tokens(core_->store, contact.id)) {
        const auto item = must(core_->store.outbox_item(contact.id, *old));
        if (item && !item->envelope_id) must(core_->store.remove_outbox(contact.id, *old));
    }
    const auto item = queue(contact, {}, true);
    note_told_tokens(core_->store, contact.id, item.id);
    return item.id;
}

void Outbox::forget(std::int64_t contact) {
    const auto found = lanes_.find(contact);
    if (found == lanes_.end()) return;
    auto& lane = found->second;
    lane.queue.resize(lane.sent);  // what is on its way stays until its answer has come
    lane.fresh.reset();
}

bool Outbox::recover(std::int64_t id, Lane& lane, storage::Contact& contact) {
    const auto ours = tokens_for(*core_, contact);
    const auto told_id = told_tokens(core_->store, id);
    const auto told =
        told_id ? must(core_->store.outbox_item(id, *told_id)) : std::optional<storage::OutboxItem>{};
    const bool current = told && carries_tokens(told->content, ours);
    const bool taken = current && (told->accepted || std::ranges::any_of(accepted_, [&](const auto& one) {
                                       return one.contact == id && one.id == *told_id;
                                   }));
    const auto head = must(core_->store.outbox_item(id, lane.queue.front()));
    if (head && fits(*head) && (contact.introduced || taken || carries_tokens(head->content, ours)))
        return true;
    if (taken || (current && !fits(*told))) {
        await_tokens(id, lane, contact);
        return false;
    }
    auto first = told_id.value_or(storage::MessageId{});
    if (!current) {
        auto transaction = core_->store.begin();
        first = queue_tokens(contact);
        must(transaction.commit());
    }
    std::erase(lane.queue, first);
    lane.queue.push_front(first);
    return true;
}

void Outbox::await_tokens(std::int64_t id, Lane& lane, const storage::Contact& contact) {
    constexpr int no_failure_code = -2;
    lane.shared_refused = false;
    wait(lane, minute, hour);
    if (std::exchange(lane.warned, no_failure_code) != no_failure_code)
        core_->shell.warn(waits_for_tokens(contact.name), id);
}

}  // namespace sotto::client
