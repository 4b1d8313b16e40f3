// Delivery: envelopes to connected devices at once, to the mailbox otherwise. docs/protocol.md section 12.5.
//
// What is promised: `delivered` is answered after the device's acknowledgement, `stored` after the commit.
// Envelopes of one sender reach a device in their order: while anything waits in the mailbox that has not
// been pushed on the present connection (`backlog`), whatever comes goes behind it.
#pragma once

#include <deque>
#include <map>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "keyserver/core/access.hpp"
#include "keyserver/core/counters.hpp"
#include "keyserver/core/policy.hpp"
#include "keyserver/core/recent.hpp"
#include "keyserver/core/shell.hpp"
#include "keyserver/core/store_queue.hpp"

namespace sotto::keyserver {

/// Who waits for an answer.
struct Origin {
    ConnectionId connection = 0;
    std::uint32_t request = 0;
    std::uint64_t asked_us = 0;  ///< for the counters
};

struct Delivery {
    std::string user;
    std::uint32_t device = 0;
    Proof proof;
    EnvelopeId id{};
    SharedBytes envelope;
    bool handshake = false;
    Origin origin;
};

/// Safe from any thread.
class Hub {
  public:
    Hub(const LivePolicy& policy, Counters& counters, const Clock& clock, crypto::Rng& rng, StoreQueue& queue,
        Shell& shell, Access& access);

    /// The device has logged in on this connection; an older one of it is closed.
    void attach(const std::string& user, DeviceKey key, ConnectionId connection);
    /// The connection has gone: what it has not acknowledged goes to the mailbox.
    void detach(DeviceKey key, ConnectionId connection);
    void deliver(Delivery delivery);
    void acknowledge(DeviceKey key, Origin origin, const std::vector<EnvelopeId>& ids);

    /// Called after the commit, on the queue's thread.
    void tokens_replaced(AccountId account, std::vector<TokenHash> shared);
    void device_removed(DeviceKey key);
    /// The account was shut out or deleted: its connections end, and what they had not acknowledged goes to
    /// the mailbox if there still is one.
    void account_shut_out(AccountId account);
    void prekeys_low(DeviceKey key, std::uint32_t one_time_left, std::uint32_t one_time_kem_left);

    /// Hands over what has waited too long for its acknowledgement. To be called a few times a second.
    void tick();
    /// Hands over everything: the server is about to stop.
    void drain();

    struct Counts {
        std::size_t devices = 0;
        std::size_t outstanding = 0;
    };
    [[nodiscard]] Counts counts() const;

  private:
    /// Pushed on the present connection and not acknowledged.
    struct Outstanding {
        std::uint64_t order = 0;
        SharedBytes envelope;  ///< none where it is in the mailbox, or on its way there
        std::vector<Origin> origins;
        std::size_t size = 0;
    };
    struct Device {
        ConnectionId connection = 0;
        bool backlog = true;  ///< the mailbox may hold what was not pushed yet
        bool loading = false;
        std::uint64_t appended =
            0;  ///< counts what may have joined the mailbox behind a load that is under way
        std::int64_t pushed_up_to = 0;  ///< mailbox sequence
        std::uint64_t order = 0;
        std::map<EnvelopeId, Outstanding> outstanding;
        std::size_t outstanding_bytes = 0;
        std::uint64_t told_low_ms = 0;
    };
    struct Account {
        std::string user;
        std::vector<TokenHash> shared;
        std::map<std::uint32_t, Device> devices;
    };
    struct Deadline {
        std::uint64_t at_ms = 0;
        DeviceKey key;
        ConnectionId connection = 0;
        EnvelopeId id{};
        std::uint64_t order = 0;
    };
    struct Page;

    void answer(const Origin& origin, const Answer<wire::DeliveryState>& outcome) const;

    // All below with the lock held.
    [[nodiscard]] Device* find(DeviceKey key);
    [[nodiscard]] bool room(const Device& device) const;
    /// True if the delivery was answered or pushed without the store.
    [[nodiscard]] bool deliver_now(const Delivery& delivery);
    void push(Device& device, const EnvelopeId& id, SharedBytes envelope, Outstanding entry);
    void load(DeviceKey key, Device& device);
    void loaded(DeviceKey key, ConnectionId connection, std::uint64_t appended, std::optional<Page> page);
    void hand_over(DeviceKey key, const EnvelopeId& id, Outstanding& entry);
    void hand_over_all(DeviceKey key, Device& device);
    void hand_over_if(DeviceKey key, Device& device, const auto& which);
    /// What the same connection sent before and is on no disk yet goes there first: if the server died now, a
    /// later envelope would be there and the earlier ones would come again behind it.
    void store_earlier(const Delivery& delivery);
    void erase(DeviceKey key);
    void deliver_through_store(Delivery delivery);

    /// Takes the lock itself: asked by work on the store.
    [[nodiscard]] bool acknowledged_recently(DeviceKey key, const EnvelopeId& id) const;

    const LivePolicy* policy_;
    Counters* counters_;
    const Clock* clock_;
    StoreQueue* queue_;
    Shell* shell_;
    Access* access_;

    mutable std::mutex mutex_;
    std::unordered_map<AccountId, Account> accounts_;
    std::unordered_map<std::string, AccountId> online_;  ///< by user name
    std::deque<Deadline> deadlines_;                     ///< ascending
    RecentIds recent_;
    bool draining_ = false;
};

}  // namespace sotto::keyserver
