#include "keyserver/core/hub.hpp"

#include <algorithm>

#include "keyserver/core/mail.hpp"
#include "keyserver/core/wire.hpp"

namespace sotto::keyserver {

/// What a load found: the next envelopes of the mailbox, and on the first one what else is to be known of the
/// account.
struct Hub::Page {
    std::vector<MailRow> rows;
    bool last = false;    ///< nothing was behind these
    bool active = false;  ///< the device is still one of the account's
    std::vector<TokenHash> shared;
};

namespace {

[[nodiscard]] Answer<wire::DeliveryState> to_answer(Stored stored) {
    switch (stored) {
        case Stored::stored:
            return wire::DELIVERY_STORED;
        case Stored::full:
            return refuse(wire::FAILURE_MAILBOX_FULL);
        case Stored::no_device:
            break;
    }
    return refuse(wire::FAILURE_NO_DEVICE);
}

[[nodiscard]] Count count_of(const Answer<wire::DeliveryState>& outcome) {
    if (outcome) return *outcome == wire::DELIVERY_DELIVERED ? Count::delivered : Count::stored;
    switch (outcome.error().code) {
        case wire::FAILURE_REFUSED:
        case wire::FAILURE_TOKEN_USED:
        case wire::FAILURE_TOKEN_EXPIRED:
            return Count::refused_access;
        case wire::FAILURE_RATE:
            return Count::refused_rate;
        case wire::FAILURE_MAILBOX_FULL:
            return Count::refused_full;
        case wire::FAILURE_NO_DEVICE:
            return Count::refused_no_device;
        default:
            return Count::refused_other;
    }
}

}  // namespace

void Hub::answer(const Origin& origin, const Answer<wire::DeliveryState>& outcome) const {
    counters_->add(count_of(outcome));
    if (outcome)
        counters_->took_since(*outcome == wire::DELIVERY_DELIVERED ? Latency::delivered : Latency::stored,
                              origin.asked_us);
    shell_->reply(origin.connection, outcome ? delivered_frame(origin.request, *outcome)
                                             : failure_frame(origin.request, outcome.error()));
}

Hub::Hub(const LivePolicy& policy, Counters& counters, const Clock& clock, crypto::Rng& rng,
         StoreQueue& queue, Shell& shell, Access& access)
    : policy_(&policy),
      counters_(&counters),
      clock_(&clock),
      queue_(&queue),
      shell_(&shell),
      access_(&access),
      recent_(rng) {}

Hub::Device* Hub::find(DeviceKey key) {
    const auto account = accounts_.find(key.account);
    if (account == accounts_.end()) return nullptr;
    const auto device = account->second.devices.find(key.device);
    return device == account->second.devices.end() ? nullptr : &device->second;
}

bool Hub::room(const Device& device) const {
    return device.outstanding.size() < protocol::incoming_window &&
           device.outstanding_bytes < (*policy_)->limits.outstanding_bytes;
}

// ---- coming and going ----

void Hub::attach(const std::string& user, DeviceKey key, ConnectionId connection) {
    const std::lock_guard lock(mutex_);
    if (auto* const older = find(key)) {
        shell_->close(older->connection);
        hand_over_all(key, *older);
    }
    auto& account = accounts_[key.account];
    account.user = user;
    online_[user] = key.account;
    auto& device = account.devices[key.device];
    device = Device{};
    device.connection = connection;
    load(key, device);
}

void Hub::detach(DeviceKey key, ConnectionId connection) {
    const std::lock_guard lock(mutex_);
    auto* const device = find(key);
    if (device == nullptr || device->connection != connection) return;
    hand_over_all(key, *device);
    erase(key);
}

void Hub::device_removed(DeviceKey key) {
    const std::lock_guard lock(mutex_);
    auto* const device = find(key);
    if (device == nullptr) return;
    for (const auto& [id, entry] : device->outstanding)
        for (const auto& origin : entry.origins) answer(origin, refuse(wire::FAILURE_NO_DEVICE));
    shell_->close(device->connection);
    erase(key);
}

void Hub::account_shut_out(AccountId account) {
    const std::lock_guard lock(mutex_);
    const auto found = accounts_.find(account);
    if (found == accounts_.end()) return;
    for (auto& [id, device] : found->second.devices) {
        hand_over_all({.account = account, .device = id}, device);
        shell_->close(device.connection);
    }
    online_.erase(found->second.user);
    accounts_.erase(found);
}

void Hub::erase(DeviceKey key) {
    const auto account = accounts_.find(key.account);
    if (account == accounts_.end()) return;
    account->second.devices.erase(key.device);
    if (!account->second.devices.empty()) return;
    online_.erase(account->second.user);
    accounts_.erase(account);
}

void Hub::tokens_replaced(AccountId account, std::vector<TokenHash> shared) {
    const std::lock_guard lock(mutex_);
    const auto found = accounts_.find(account);
    if (found != accounts_.end()) found->second.shared = std::move(shared);
}

void Hub::prekeys_low(DeviceKey key, std::uint32_t one_time_left, std::uint32_t one_time_kem_left) {
    const std::lock_guard lock(mutex_);
    auto* const device = find(key);
    const auto now = clock_->steady_ms();
    if (device == nullptr ||
        (device->told_low_ms != 0 && now < device->told_low_ms + limits::prekeys_low_every_ms))
        return;
    device->told_low_ms = now;
    shell_->push(device->connection, prekeys_low_frame(one_time_left, one_time_kem_left));
}

// ---- from the sender ----

void Hub::deliver(Delivery delivery) {
    const std::lock_guard lock(mutex_);
    if (deliver_now(delivery)) return;
    store_earlier(delivery);
    deliver_through_store(std::move(delivery));
}

void Hub::store_earlier(const Delivery& delivery) {
    const auto online = online_.find(delivery.user);
    if (online == online_.end()) return;
    const DeviceKey key{.account = online->second, .device = delivery.device};
    auto* const device = find(key);
    if (device == nullptr) return;
    hand_over_if(key, *device, [&](const Outstanding& entry) {
        return std::ranges::any_of(entry.origins, [&](const Origin& origin) {
            return origin.connection == delivery.origin.connection;
        });
    });
}

bool Hub::deliver_now(const Delivery& delivery) {
    const auto online = online_.find(delivery.user);
    if (draining_ || online == online_.end() || !delivery.proof.token) return false;
    auto& account = accounts_.at(online->second);
    const bool granted = std::ranges::any_of(account.shared, [&](const TokenHash& hash) {
        return crypto::equal_constant_time(hash, *delivery.proof.token);
    });
    const auto found = account.devices.find(delivery.device);
    if (!granted || found == account.devices.end()) return false;
    const DeviceKey key{.account = online->second, .device = delivery.device};
    auto& device = found->second;

    if (recent_.contains(key, delivery.id)) {
        answer(delivery.origin, wire::DELIVERY_DELIVERED);
        return true;
    }
    if (const auto waiting = device.outstanding.find(delivery.id); waiting != device.outstanding.end()) {
        auto& origins = waiting->second.origins;
        if (!waiting->second.envelope) return false;
        if (origins.size() >= limits::origins_per_envelope) origins.erase(origins.begin());
        origins.push_back(delivery.origin);
        return true;
    }
    if (device.backlog || !room(device)) {
        device.backlog = true;
        ++device.appended;
        return false;
    }
    push(device, delivery.id, delivery.envelope,
         {.envelope = delivery.envelope, .origins = {delivery.origin}});
    deadlines_.push_back({.at_ms = clock_->steady_ms() + (*policy_)->limits.hand_over_ms,
                          .key = key,
                          .connection = device.connection,
                          .id = delivery.id,
                          .order = device.order});
    return true;
}

void Hub::deliver_through_store(Delivery delivery) {
    struct Outcome {
        DeviceKey key;
        Answer<wire::DeliveryState> answer;
    };
    const auto shared = std::make_shared<const Delivery>(std::move(delivery));
    queue_->submit(
        [this, shared](Stores& stores) -> Outcome {
            const auto& [user, device, proof, id, envelope, handshake, origin] = *shared;
            const auto granted = access_->to_deliver(stores, user, proof, handshake, envelope->size());
            if (!granted) return {.key = {}, .answer = std::unexpected(granted.error())};
            const DeviceKey key{.account = granted->account, .device = device};
            if (acknowledged_recently(key, id)) return {.key = key, .answer = wire::DELIVERY_DELIVERED};
            const bool again = stores.mailbox.contains(key, id);
            const auto stored =
                store_envelope(stores, key, id, *envelope, unix_seconds(*clock_), (*policy_)->limits);
            if (stored == Stored::stored && granted->used && !again)
                stores.tokens.update(key.account, *granted->used);
            return {.key = key, .answer = to_answer(stored)};
        },
        [this, shared](std::optional<Outcome> outcome) {
            const std::lock_guard lock(mutex_);
            answer(shared->origin, outcome ? outcome->answer : std::unexpected(store_failed));
            const auto online = online_.find(shared->user);
            if (online == online_.end()) return;
            const DeviceKey key{.account = online->second, .device = shared->device};
            auto* const device = find(key);
            if (device == nullptr) return;
            if (outcome && outcome->answer == wire::DELIVERY_STORED) {
                device->backlog = true;
                ++device->appended;
                // The same envelope with another credential, while it waits here: now it is in the mailbox.
                const auto pushed = device->outstanding.find(shared->id);
                if (pushed != device->outstanding.end() && pushed->second.envelope) {
                    for (const auto& origin : pushed->second.origins) answer(origin, wire::DELIVERY_STORED);
                    pushed->second.origins.clear();
                    pushed->second.envelope.reset();
                }
            }
            load(key, *device);
        });
}

// ---- to the device ----

void Hub::push(Device& device, const EnvelopeId& id, SharedBytes envelope, Outstanding entry) {
    entry.order = ++device.order;
    entry.size = envelope->size();
    device.outstanding_bytes += entry.size;
    device.outstanding.emplace(id, std::move(entry));
    shell_->push(device.connection, incoming_frame(id, std::move(envelope)));
}

void Hub::load(DeviceKey key, Device& device) {
    // Half a window at a time, so that a long mailbox is not read one envelope after the other.
    const bool half_free = device.outstanding.size() <= protocol::incoming_window / 2 &&
                           device.outstanding_bytes <= (*policy_)->limits.outstanding_bytes / 2;
    if (device.loading || !device.backlog || !half_free) return;
    device.loading = true;
    queue_->submit(
        [key, after = device.pushed_up_to,
         most = protocol::incoming_window - device.outstanding.size()](Stores& stores) -> Page {
            Page page;
            const auto row = stores.accounts.device(key);
            page.active = row && !row->removed && stores.accounts.active(key.account);
            page.rows = stores.mailbox.page(key, after, most, limits::page_bytes);
            std::size_t bytes = 0;
            for (const auto& mail : page.rows) bytes += mail.envelope->size();
            page.last = page.rows.size() < most && bytes < limits::page_bytes;
            if (after == 0) page.shared = stores.tokens.shared(key.account);
            return page;
        },
        [this, key, connection = device.connection, appended = device.appended,
         first = device.pushed_up_to == 0](std::optional<Page> page) {
            const std::lock_guard lock(mutex_);
            if (page && first) {
                const auto account = accounts_.find(key.account);
                if (account != accounts_.end()) account->second.shared = std::move(page->shared);
            }
            loaded(key, connection, appended, std::move(page));
        });
}

void Hub::loaded(DeviceKey key, ConnectionId connection, std::uint64_t appended, std::optional<Page> page) {
    auto* const device = find(key);
    if (device == nullptr || device->connection != connection) return;
    device->loading = false;
    if (!page || !page->active) {
        shell_->close(connection);
        return;
    }
    for (const auto& row : page->rows) {
        device->pushed_up_to = row.sequence;
        // Pushed and stored meanwhile, or acknowledged and about to be removed.
        if (device->outstanding.contains(row.id) || recent_.contains(key, row.id)) continue;
        push(*device, row.id, row.envelope, {});
    }
    if (page->last && device->appended == appended) device->backlog = false;
    load(key, *device);
}

void Hub::acknowledge(DeviceKey key, Origin origin, const std::vector<EnvelopeId>& ids) {
    const std::lock_guard lock(mutex_);
    auto* device = find(key);
    if (device != nullptr && device->connection != origin.connection) device = nullptr;  // a newer one has it
    std::vector<EnvelopeId> stored;
    for (const auto& id : ids) {
        if (device == nullptr || !device->outstanding.contains(id)) {
            stored.push_back(id);
            continue;
        }
        const auto entry = device->outstanding.find(id);
        recent_.insert(key, id, clock_->steady_ms());
        if (!entry->second.envelope) stored.push_back(id);
        for (const auto& waiting : entry->second.origins) answer(waiting, wire::DELIVERY_DELIVERED);
        device->outstanding_bytes -= entry->second.size;
        device->outstanding.erase(entry);
    }
    if (stored.empty()) {
        shell_->reply_later(origin.connection, done_frame(origin.request));
    } else {
        queue_->submit(
            [key, stored = std::move(stored)](Stores& stores) {
                stores.mailbox.remove(key, stored);
                return true;
            },
            [this, origin](std::optional<bool> done) {
                shell_->reply(origin.connection, done ? done_frame(origin.request)
                                                      : failure_frame(origin.request, store_failed));
            });
    }
    if (device != nullptr) load(key, *device);
}

// ---- into the mailbox ----

void Hub::hand_over(DeviceKey key, const EnvelopeId& id, Outstanding& entry) {
    queue_->submit(
        [this, key, id, envelope = std::move(entry.envelope)](Stores& stores) {
            return store_envelope(stores, key, id, *envelope, unix_seconds(*clock_), (*policy_)->limits);
        },
        [this, origins = std::move(entry.origins)](std::optional<Stored> stored) {
            for (const auto& origin : origins)
                answer(origin, stored ? to_answer(*stored) : std::unexpected(store_failed));
        });
    entry.envelope.reset();
    entry.origins.clear();
}

void Hub::hand_over_all(DeviceKey key, Device& device) {
    hand_over_if(key, device, [](const Outstanding& /*any*/) { return true; });
}

void Hub::hand_over_if(DeviceKey key, Device& device, const auto& which) {
    std::map<std::uint64_t, EnvelopeId> in_order;
    for (const auto& [id, entry] : device.outstanding)
        if (entry.envelope && which(entry)) in_order.emplace(entry.order, id);
    for (const auto& [order, id] : in_order) hand_over(key, id, device.outstanding.at(id));
}

void Hub::tick() {
    const std::lock_guard lock(mutex_);
    const auto now = clock_->steady_ms();
    while (!deadlines_.empty() && deadlines_.front().at_ms <= now) {
        const auto due = deadlines_.front();
        deadlines_.pop_front();
        auto* const device = find(due.key);
        if (device == nullptr || device->connection != due.connection) continue;
        const auto entry = device->outstanding.find(due.id);
        if (entry != device->outstanding.end() && entry->second.envelope && entry->second.order == due.order)
            hand_over(due.key, due.id, entry->second);
    }
}

void Hub::drain() {
    const std::lock_guard lock(mutex_);
    draining_ = true;
    for (auto& [account, state] : accounts_)
        for (auto& [device, entry] : state.devices)
            hand_over_all({.account = account, .device = device}, entry);
}

bool Hub::acknowledged_recently(DeviceKey key, const EnvelopeId& id) const {
    const std::lock_guard lock(mutex_);
    return recent_.contains(key, id);
}

Hub::Counts Hub::counts() const {
    const std::lock_guard lock(mutex_);
    Counts counts;
    for (const auto& [id, account] : accounts_) {
        counts.devices += account.devices.size();
        for (const auto& [device, state] : account.devices) counts.outstanding += state.outstanding.size();
    }
    return counts;
}

}  // namespace sotto::keyserver
