#include "outbox.hpp"

#include "paths.hpp"
#include "sentences.hpp"
#include "tokens.hpp"

namespace sotto::client {

namespace {

constexpr std::size_t window = 32;           ///< deliveries of one contact that are on their way
constexpr std::size_t accepted_batch = 8;    ///< answers that are written together
constexpr std::int64_t accepted_after = 25;  ///< ms that they wait for company at most
constexpr int load_limit = 1'000'000;

}  // namespace

void Outbox::load() {
    for (const auto& item : must(core_->store.outbox_pending(load_limit))) {
        // An offer or answer of an earlier run: it would tell addresses that nobody asks for any more.
        if (!item.needs_acknowledgement && is_signal(item.content))
            must(core_->store.remove_outbox(item.contact, item.id));
        else
            lanes_[item.contact].queue.push_back(item.id);
    }
    if (!must(core_->store.contacts_owed()).empty()) owe();
}

Outbox::Queued Outbox::queue(storage::Contact& contact, content::Content content,
                             bool needs_acknowledgement) {
    const auto id = core_->shell.rng.bytes<16>();
    const std::uint64_t sequence = is_signal(content) ? 0 : contact.next_sequence++;
    const auto theirs = mark_of(contact.record);
    content.set_message_id(to_field(id));
    content.set_conversation_id(to_field(conversation_id(core_->identity.address, contact.address)));
    content.set_sequence(sequence);
    content.set_sent_at(core_->shell.wall);
    content.set_record_sequence(core_->record.body().sequence);
    content.set_record_hash(to_field(core_->record.hash()));
    content.set_peer_record_sequence(theirs.sequence);
    content.set_peer_record_hash(to_field(theirs.hash));
    const bool only_tokens = content.kind_case() == content::Content::KIND_NOT_SET;
    if ((!contact.introduced || only_tokens) && !content.has_introduction())
        fill(*content.mutable_tokens(), tokens_for(*core_, contact));
    storage::OutboxItem item;
    item.id = id;
    item.contact = contact.id;
    item.content = encode(content);
    item.needs_acknowledgement = needs_acknowledgement;
    item.queued_at = core_->shell.wall;
    must(core_->store.queue(item));
    must(core_->store.update_contact(contact));
    return {id, sequence};
}

void Outbox::settled(std::int64_t contact, const storage::MessageId& id) {
    const auto found = lanes_.find(contact);
    if (found == lanes_.end()) return;
    auto& lane = found->second;
    const auto at = std::ranges::find(lane.queue, id);
    if (at == lane.queue.end()) return;
    // One that is on its way stays until its answer has come.
    if (static_cast<std::size_t>(at - lane.queue.begin()) >= lane.sent) lane.queue.erase(at);
}

void Outbox::withdraw(std::int64_t contact, const storage::MessageId& id) {
    const auto found = lanes_.find(contact);
    if (found == lanes_.end()) return;
    auto& queue = found->second.queue;
    const auto at = std::ranges::find(queue, id);
    if (at == queue.end()) return;
    must(core_->store.remove_outbox(contact, id));
    // One that is on its way stays in the lane until its answer has come; it isn't sent again.
    if (static_cast<std::size_t>(at - queue.begin()) < found->second.sent)
        found->second.withdrawn.push_back(id);
    else
        queue.erase(at);
}

void Outbox::begin_again(Lane& lane) {
    lane.draining = false;
    lane.sent = 0;
    for (const auto& id : std::exchange(lane.withdrawn, {})) std::erase(lane.queue, id);
}

void Outbox::contact_changed(std::int64_t contact) {
    auto& lane = lanes_[contact];
    lane.route.reset();
    lane.not_before = 0;
    lane.stuck = false;
    lane.shared_refused = false;
    lane.backoff.reset();
    lane.warned = 0;
}

bool Outbox::quiet(std::int64_t contact) const {
    const auto found = lanes_.find(contact);
    if (found == lanes_.end()) return true;
    const auto& lane = found->second;
    return lane.unanswered == 0 && !lane.fetching &&
           std::ranges::none_of(accepted_, [&](const auto& entry) { return entry.contact == contact; });
}

void Outbox::reload(std::int64_t contact, std::int64_t wait) {
    requeued(contact, must(core_->store.outbox_ids(contact)));
    if (wait > 0) lanes_[contact].not_before = core_->shell.now + wait;
}

void Outbox::owe() {
    if (acknowledge_at_) return;
    const auto most = std::max<std::int64_t>(1, core_->shell.config.acknowledge_after);
    acknowledge_at_ =
        core_->shell.now + most -
        static_cast<std::int64_t>(core_->shell.rng.below(static_cast<std::uint64_t>(most) / 2 + 1));
}

void Outbox::owe_now() {
    if (acknowledge_at_) acknowledge_at_ = core_->shell.now;
}

void Outbox::write_acknowledgements() {
    acknowledge_at_.reset();
    for (const auto id : must(core_->store.contacts_owed())) {
        while (true) {
            auto transaction = core_->store.begin();
            auto contact = must(core_->store.contact(id));
            if (!contact || contact->blocked || contact->state == storage::ContactState::changed ||
                right_for(*contact, false) == Right::none)
                break;
            const auto owed = must(core_->store.owed_acknowledgements(id, max_acknowledged));
            if (owed.empty()) break;
            content::Content content;
            for (const auto& message : owed) {
                content.mutable_acknowledgement()->add_message_ids(to_field(message));
                must(core_->store.clear_owed(id, message));
            }
            const auto item = queue(*contact, std::move(content), false);
            must(transaction.commit());
            queued(id, item.id);
        }
    }
}

bool Outbox::goes_direct(std::int64_t id, const Lane& lane) const {
    if (core_->paths == nullptr || lane.queue.empty() || core_->unconfirmed) return false;
    const auto device = core_->paths->device(id);
    if (!device) return false;
    const auto* const active = core_->sessions.active(id);
    if (active != nullptr && active->device != *device) return false;
    // Without a session only what was sealed before can leave.
    const auto next = must(core_->store.outbox_item(id, lane.queue.front()));
    return next && (next->envelope_id ? next->device == *device : active != nullptr);
}

std::optional<Outbox::Ready> Outbox::prepare(std::int64_t id, Lane& lane) {
    if (lane.queue.size() == lane.sent || lane.sent > window / 2 || lane.draining || lane.fetching)
        return std::nullopt;
    const bool direct = goes_direct(id, lane);
    // Nothing overtakes on the other way what is still on its way.
    if (lane.sent > 0 && lane.direct != direct) return std::nullopt;
    if (direct) {
        auto known = must(core_->store.contact(id));
        if (!known || known->blocked || known->state == storage::ContactState::changed) return std::nullopt;
        lane.direct = true;
        lane.shared_refused = false;
        return Ready{id, nullptr, std::move(*known)};
    }
    if (lane.stuck || lane.not_before > core_->shell.now || (lane.shared_refused && lane.sent > 0))
        return std::nullopt;
    if (lane.route && deliveries_->away(*lane.route)) return std::nullopt;

    auto contact = must(core_->store.contact(id));
    if (!contact) {
        lane = {};  // removed meanwhile, and its outbox with it
        core_->sessions.remove_contact(id);
        return std::nullopt;
    }
    if (contact->blocked || contact->state == storage::ContactState::changed ||
        right_for(*contact, lane.shared_refused) == Right::none) {
        lane.stuck = true;
        return std::nullopt;
    }
    if (core_->rotation_untold && core_->telling && !contact->introduced) return std::nullopt;
    lane.route = route_to(*core_, *contact);
    if (lane.shared_refused && !recover(id, lane, *contact)) return std::nullopt;
    auto* connection = deliveries_->use(*lane.route);
    if (connection == nullptr || core_->unconfirmed) return std::nullopt;

    if (core_->sessions.active(id) == nullptr && !lane.fresh) {
        auto next = must(core_->store.outbox_item(id, lane.queue[lane.sent]));
        while (!next && lane.queue.size() > lane.sent + 1) {
            lane.queue.erase(lane.queue.begin() + static_cast<std::ptrdiff_t>(lane.sent));
            next = must(core_->store.outbox_item(id, lane.queue[lane.sent]));
        }
        if (next && !next->envelope_id) {
            fetch_prekeys(id, lane, *contact, *connection);
            return std::nullopt;
        }
    }
    lane.direct = false;
    return Ready{id, connection, std::move(*contact)};
}

void Outbox::pump() {
    if (core_->shell.now < paused_until_) return;
    if (acknowledge_at_ && *acknowledge_at_ <= core_->shell.now && core_->sending) write_acknowledgements();

    std::vector<Ready> ready;
    std::size_t unanswered = 0;
    for (auto& [id, lane] : lanes_) {
        unanswered += lane.unanswered;
        if (!core_->sending) continue;
        if (auto next = prepare(id, lane)) ready.push_back(std::move(*next));
    }
    const bool marks = !accepted_.empty() && (unanswered == 0 || accepted_.size() >= accepted_batch ||
                                              accepted_at_ + accepted_after <= core_->shell.now);
    if (ready.empty() && !marks) return;

    // One transaction for all that was answered and all that is sealed.
    std::vector<Notice> notices;
    std::vector<Outgoing> outgoing;
    std::vector<storage::SessionRow> sessions;
    auto transaction = core_->store.begin();
    write_accepted(notices);
    for (auto& lane : ready) seal_lane(lane, outgoing, sessions);
    must(transaction.commit());

    accepted_.clear();
    for (auto& notice : notices) core_->shell.tell(std::move(notice));
    core_->changes += sessions.size();
    for (auto& row : sessions) {
        lanes_[row.contact].fresh.reset();
        core_->sessions.put(std::move(row));
    }
    for (const auto& lane : ready) {
        for (const auto& out : outgoing) {
            if (out.contact != lane.id) continue;
            deliver(lane, out.item);
            if (out.fresh && out.item.needs_acknowledgement)
                core_->shell.tell(MessageProgress{out.contact, out.item.id, storage::MessageState::sent});
        }
    }
}

void Outbox::write_accepted(std::vector<Notice>& notices) {
    for (const auto& [contact, id, pushed] : accepted_) {
        auto item = must(core_->store.outbox_item(contact, id));
        if (!item) continue;
        if (!item->needs_acknowledgement) {
            must(core_->store.remove_outbox(contact, id));
            continue;
        }
        // The envelope has done its work; the content stays until the other side has acknowledged it.
        item->accepted = true;
        item->accepted_at = core_->shell.wall;
        item->pushed = pushed;
        item->envelope.clear();
        must(core_->store.update_outbox(*item));
        must(core_->store.set_message_state(id, storage::MessageState::stored));
        notices.emplace_back(MessageProgress{contact, id, storage::MessageState::stored});
    }
}

void Outbox::seal_lane(Ready& ready, std::vector<Outgoing>& out, std::vector<storage::SessionRow>& sessions) {
    auto& lane = lanes_[ready.id];
    const auto* active = core_->sessions.active(ready.id);
    if (active != nullptr) lane.fresh.reset();  // they were first
    const auto* base = active;
    if (base == nullptr && lane.fresh) base = &*lane.fresh;
    std::optional<crypto::Session> next;
    const auto most = lane.shared_refused ? 1 : window;

    for (auto at = lane.sent; at < lane.queue.size() && at < most; ++at) {
        auto item = must(core_->store.outbox_item(ready.id, lane.queue[at]));
        if (!item) {
            lane.queue.erase(lane.queue.begin() + static_cast<std::ptrdiff_t>(at--));
            continue;
        }
        const bool seal = !item->envelope_id;
        if (seal) {
            if (base == nullptr) break;
            auto sealed =
                (next ? *next : base->session).seal(item->content, core_->shell.wall, core_->shell.rng);
            if (!sealed) {
                // At the end of its counter: the next round begins another session.
                must(core_->store.archive_session(base->session.id(), true));
                core_->sessions.set_archived(base->session.id(), true);
                break;
            }
            next = std::move(sealed->next);
            item->envelope = std::move(sealed->envelope);
            item->envelope_id = core_->shell.rng.bytes<16>();
            item->device = base->device;
            must(core_->store.update_outbox(*item));
            must(core_->store.set_message_state(item->id, storage::MessageState::sent));
        }
        out.push_back({ready.id, std::move(*item), seal});
    }
    if (!next) return;
    storage::SessionRow row{std::move(*next), ready.id, base->device, false};
    must(core_->store.put_session(row, core_->shell.wall));
    sessions.push_back(std::move(row));
}

void Outbox::deliver(const Ready& ready, const storage::OutboxItem& item) {
    if (!item.envelope_id) return;
    auto& lane = lanes_[ready.id];
    if (ready.connection == nullptr) {
        ++lane.sent;
        ++lane.unanswered;
        core_->paths->deliver(ready.id, *item.envelope_id, item.envelope,
                              [this, contact = ready.id, id = item.id, size = item.envelope.size(),
                               life = lane.life](bool committed) {
                                  wire::Reply reply;
                                  reply.mutable_delivered()->set_state(wire::DELIVERY_DELIVERED);
                                  if (lanes_[contact].life == life)
                                      answered(contact, id, Right::none, size, committed ? &reply : nullptr);
                              });
        return;
    }
    const auto right = right_for(ready.contact, lane.shared_refused);
    if (right == Right::recovery && item.envelope.size() > recovery_envelope_limit) {
        lane.not_before = core_->shell.now + 1;  // something smaller goes first
        return;
    }
    wire::Request request;
    auto& deliver = *request.mutable_deliver();
    deliver.set_user(ready.contact.address.user);
    deliver.set_device(item.device);
    fill(*deliver.mutable_credential(), ready.contact, right);
    deliver.set_envelope_id(to_field(*item.envelope_id));
    deliver.set_envelope(to_field(item.envelope));
    ++lane.sent;
    ++lane.unanswered;
    core_->connections.request(*ready.connection, request,
                               [this, contact = ready.id, id = item.id, right, size = item.envelope.size(),
                                life = lane.life](const wire::Reply* reply) {
                                   if (lanes_[contact].life == life)
                                       answered(contact, id, right, size, reply);
                               });
}

void Outbox::answered(std::int64_t contact, const storage::MessageId& id, Right right, std::size_t size,
                      const wire::Reply* reply) {
    auto& lane = lanes_[contact];
    if (lane.unanswered > 0) --lane.unanswered;
    const auto at = std::ranges::find(lane.queue, id);
    if (reply == nullptr) {
        lane.draining = true;  // the connection went: all of them again, in order, with the same bytes
    } else if (reply->has_delivered() && reply->delivered().state() != wire::DELIVERY_UNSPECIFIED) {
        if (at != lane.queue.end()) {
            lane.queue.erase(at);
            if (lane.sent > 0) --lane.sent;
        }
        if (accepted_.empty()) accepted_at_ = core_->shell.now;
        accepted_.push_back({contact, id, reply->delivered().state() == wire::DELIVERY_DELIVERED});
        lane.backoff.reset();
        lane.warned = 0;
    } else if (reply->has_failure() && reply->failure().code() == wire::FAILURE_TOO_LARGE) {
        give_up(contact, id);
    } else if (!lane.draining) {
        lane.draining = true;
        refused(contact, lane, right, size, reply->failure());
    }
    if (lane.draining && lane.unanswered == 0) begin_again(lane);
}

void Outbox::give_up(std::int64_t contact, const storage::MessageId& id) {
    auto& lane = lanes_[contact];
    const auto row = must(core_->store.contact(contact));
    auto transaction = core_->store.begin();
    must(core_->store.set_message_state(id, storage::MessageState::failed));
    must(core_->store.remove_outbox(contact, id));
    must(transaction.commit());
    const auto at = std::ranges::find(lane.queue, id);
    if (at != lane.queue.end()) {
        lane.queue.erase(at);
        if (lane.sent > 0) --lane.sent;
    }
    core_->shell.tell(MessageProgress{contact, id, storage::MessageState::failed});
    if (row) core_->shell.warn(describe_delivery_failure(wire::FAILURE_TOO_LARGE, row->name, false), contact);
}

void Outbox::refused(std::int64_t id, Lane& lane, Right right, std::size_t size,
                     const wire::Failure& failure) {
    const auto contact = must(core_->store.contact(id));
    if (!contact) return;
    const auto code = failure.code();
    const bool invited = right == Right::invite;

    if (code == wire::FAILURE_REFUSED && right == Right::shared && contact->their_recovery_token) {
        lane.shared_refused = true;  // they may have rotated it while we were apart
        return;
    }
    lane.shared_refused = false;
    if (code == wire::FAILURE_NO_DEVICE) checks_->check(id);

    // The claim was shown when the prekeys were fetched: a link that is used up now was used up by ourselves.
    const bool unanswered_yet = code == wire::FAILURE_TOKEN_USED && invited && size > 0;
    const bool final = code == wire::FAILURE_TOKEN_USED || code == wire::FAILURE_TOKEN_EXPIRED;
    if (final)
        lane.stuck = true;
    else if (code == wire::FAILURE_REFUSED && invited)
        // Their answer with their tokens may be on its way: the link was used up by our own first message.
        wait(lane, second, minute);
    else if (code == wire::FAILURE_REFUSED)
        wait(lane, minute, hour);
    else
        wait(lane, 2 * second, 10 * minute, failure.retry_after_ms());

    const bool patient = code == wire::FAILURE_REFUSED && invited && lane.backoff.attempts() < 3;
    if (!patient && lane.warned != code) {
        lane.warned = code;
        core_->shell.warn(unanswered_yet ? not_answered_yet(contact->name)
                                         : describe_delivery_failure(code, contact->name, invited),
                          id);
    }
}

void Outbox::wait(Lane& lane, std::int64_t first, std::int64_t most, std::int64_t at_least) {
    lane.not_before = core_->shell.now + std::max(at_least, lane.backoff.next(first, most, core_->shell.rng));
}

std::optional<std::int64_t> Outbox::next_deadline() const {
    std::optional<std::int64_t> deadline;
    if (!accepted_.empty()) sooner(deadline, accepted_at_ + accepted_after);
    if (core_->sending) sooner(deadline, acknowledge_at_);
    for (const auto& [id, lane] : lanes_) {
        if (core_->sending && lane.queue.size() > lane.sent && lane.not_before > core_->shell.now)
            sooner(deadline, lane.not_before);
    }
    if (deadline) deadline = std::max(*deadline, paused_until_);
    return deadline;
}

bool Outbox::idle() const {
    if (!accepted_.empty()) return false;
    if (core_->shell.now < paused_until_) return true;
    if (core_->sending && acknowledge_at_) return false;
    return std::ranges::all_of(lanes_, [&](const auto& entry) {
        const auto& lane = entry.second;
        if (lane.unanswered > 0 || lane.fetching) return false;
        const bool waits = lane.stuck || lane.not_before > core_->shell.now ||
                           (lane.route && deliveries_->away(*lane.route).has_value());
        return lane.queue.empty() || waits || !core_->sending;
    });
}

void Outbox::stop() {
    for (auto& [id, lane] : lanes_) {
        begin_again(lane);
        lane.unanswered = 0;
        lane.fetching = false;
    }
}

}  // namespace sotto::client
