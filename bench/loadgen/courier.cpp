#include "bench/loadgen/courier.hpp"

#include <algorithm>
#include <cstring>

#include "sotto/crypto/session.hpp"
#include "sotto/protocol/limits.hpp"

namespace sotto::loadgen {
namespace {

constexpr std::size_t content_frame = 5;  // docs/protocol.md section 8: type and length
constexpr std::size_t number_at = 1;      // behind the type

}  // namespace

std::size_t envelope_size(std::size_t content) {
    return crypto::padded_size(crypto::envelope_overhead + content_frame + content);
}

// ---- courier ----

CourierRoom::CourierRoom(Worker& its, std::size_t content)
    : worker(its), envelope(envelope_size(content), '\0') {
    its.rng().fill(std::as_writable_bytes(std::span{envelope}));
    envelope.front() = static_cast<char>(crypto::envelope_message);
}

Courier::Courier(CourierRoom& room, std::size_t number, std::size_t window)
    : room_(room), window_(window), again_(room.worker.loop()), peer_(room.worker, number, nullptr, *this) {}

void Courier::send(Recipient& to, Time began) {
    slots_.push_back(
        {.to = &to, .number = to.ledger.send(), .id = room_.worker.rng().bytes<16>(), .began = began});
    transmit(slots_.back());
}

void Courier::transmit(Slot& slot) {
    auto& deliver = *room_.request.mutable_deliver();
    const auto& to = *slot.to->identity;
    deliver.set_user(to.user());
    deliver.set_device(Identity::device);
    const auto token = to.token().expose();
    deliver.mutable_credential()->mutable_token()->assign(chars_of(token));
    deliver.mutable_envelope_id()->assign(chars_of(slot.id));
    std::memcpy(room_.envelope.data() + number_at, &slot.number, sizeof(slot.number));
    deliver.set_envelope(room_.envelope);
    slot.put_off = false;
    slot.request = peer_.send(room_.request);
}

void Courier::transmit_again(bool all) {
    if (!peer_.ready()) return;
    for (auto& slot : slots_) {
        if (!all && !slot.put_off) continue;
        ++room_.retried;
        transmit(slot);
    }
}

void Courier::on_ready(Peer& /*peer*/) {
    transmit_again(true);
    if (slots_.empty() && room_.settled) room_.settled(*this);
}

void Courier::on_reply(Peer& /*peer*/, const wire::Reply& reply) {
    const auto slot = std::ranges::find(slots_, reply.id(), &Slot::request);
    if (reply.id() == 0 || slot == slots_.end()) return;
    if (reply.body_case() == wire::Reply::kFailure) {
        const auto& failure = reply.failure();
        room_.worker.note(name_of(failure.code()));
        if (passes(failure.code())) {
            slot->put_off = true;
            return again_.set(Clock::now() + std::chrono::milliseconds{failure.retry_after_ms()},
                              [this] { transmit_again(false); });
        }
        ++room_.refused;
    } else if (reply.body_case() == wire::Reply::kDelivered) {
        ++(reply.delivered().state() == wire::DELIVERY_DELIVERED ? room_.delivered : room_.stored);
        room_.times.add(us_since(slot->began));
        slot->to->ledger.confirm();
    } else {
        return;
    }
    slots_.erase(slot);
    if (room_.settled) room_.settled(*this);
}

// ---- inbox ----

InboxRoom::InboxRoom(Worker& its) : worker(its) {
    its.loop().at_turn_end([this] {
        for (auto* const inbox : owing) inbox->acknowledge();
        owing.clear();
    });
}

InboxRoom::~InboxRoom() {
    worker.loop().at_turn_end({});
}

Inbox::Inbox(InboxRoom& room, std::size_t number, Recipient& recipient)
    : room_(room), recipient_(recipient), peer_(room.worker, number, recipient.identity, *this) {}

void Inbox::acknowledge() {
    if (!peer_.ready() || owed_.empty()) return;
    auto& message = *room_.request.mutable_acknowledge();
    message.clear_envelope_ids();
    for (auto& id : owed_) message.add_envelope_ids()->swap(id);
    owed_.clear();
    ++unheard_;
    peer_.send(room_.request);
}

void Inbox::on_ready(Peer& peer) {
    if (room_.leave_when_done && peer.waiting() == 0) peer.leave();
}

void Inbox::on_reply(Peer& peer, const wire::Reply& reply) {
    if (reply.body_case() == wire::Reply::kIncoming) {
        const auto& incoming = reply.incoming();
        std::uint64_t number = ~std::uint64_t{0};  // none that was sent
        if (incoming.envelope().size() >= number_at + sizeof(number))
            std::memcpy(&number, incoming.envelope().data() + number_at, sizeof(number));
        recipient_.ledger.receive(number, peer_.losses() > 0);
        if (owed_.empty()) room_.owing.push_back(this);
        owed_.push_back(incoming.envelope_id());
    } else if (reply.body_case() == wire::Reply::kDone) {
        --unheard_;
        const auto& ledger = recipient_.ledger;
        if (room_.leave_when_done && quiet() && ledger.received() == ledger.sent()) peer.leave();
    } else if (reply.body_case() == wire::Reply::kFailure) {
        // What wasn't acknowledged is pushed again on the next connection.
        --unheard_;
        room_.worker.note(name_of(reply.failure().code()));
    }
}

void Inbox::on_lost(Peer& /*peer*/, const std::string& why) {
    room_.worker.note(why);
    owed_.clear();
    unheard_ = 0;
}

void Inbox::on_left(Peer& /*peer*/) {
    if (room_.left) room_.left();
}

}  // namespace sotto::loadgen
