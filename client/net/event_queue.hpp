// Events on their way from the network's thread to the one that waits for them.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <set>

#include "sotto/client/transport.hpp"

namespace sotto::client::net {

/// One for each connection ever opened; never used again, unlike its user's ConnectionId.
using Serial = std::uint64_t;

class EventQueue {
  public:
    static constexpr std::size_t high_water =
        8UL * 1024 * 1024;  ///< bytes of frames; beyond it nothing more is read
    static constexpr std::size_t low_water = 2UL * 1024 * 1024;  ///< reading goes on from here

    /// `drained` is called, on the thread that pops, each time the queue has sunk from above the high to the
    /// low mark.
    explicit EventQueue(std::function<void()> drained);

    [[nodiscard]] Serial open();
    /// Dropped if the connection has been forgotten.
    void push(Serial serial, NetworkEvent event);
    /// Its events are gone, and none will come.
    void forget(Serial serial);
    [[nodiscard]] bool full() const;

    /// Nothing at `deadline`, or after a wake().
    [[nodiscard]] std::optional<NetworkEvent> pop(std::chrono::steady_clock::time_point deadline);
    void wake();

  private:
    struct Entry {
        Serial serial = 0;
        NetworkEvent event;
    };
    std::function<void()> drained_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Entry> entries_;
    std::set<Serial> live_;
    std::size_t bytes_ = 0;
    Serial last_ = 0;
    bool woken_ = false;
    bool was_full_ = false;
};

}  // namespace sotto::client::net
