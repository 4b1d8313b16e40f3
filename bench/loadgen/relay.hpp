// Pairs of a sender and a connected recipient, and messages between them.
#pragma once

#include <deque>

#include "bench/loadgen/courier.hpp"
#include "bench/loadgen/muster.hpp"

namespace sotto::loadgen {

/// The pairs of one worker. Both ends of a pair are on one thread.
class Relay {
  public:
    /// `rate`: of these pairs together; `options` has that of all.
    Relay(Worker& worker, const Identities& recipients, std::size_t first, const RelayOptions& options,
          double rate);

    /// Throws Problem.
    void connect(std::size_t parallel);
    /// Messages for so long, and then until all of them were answered.
    void run(std::chrono::seconds length);
    /// What was stored may still be on its way to a recipient, or wait for one who comes back.
    void wait_for_arrivals();
    /// The times since the last call.
    [[nodiscard]] Histogram take_times() { return std::exchange(couriers_.times, {}); }
    void add_to(Result& result) const;

  private:
    struct Pair {
        Pair(Relay& relay, const Identity* identity, std::size_t number, std::size_t window);
        Recipient recipient;
        Courier courier;
        Inbox inbox;
        std::deque<Time> due;  ///< what the window holds back
    };

    [[nodiscard]] std::size_t under_way() const;
    void go_on(Pair& pair);
    void keep_pace();

    Worker& worker_;
    CourierRoom couriers_;
    InboxRoom inboxes_;
    std::vector<std::unique_ptr<Pair>> pairs_;
    std::map<const Courier*, Pair*> pair_of_;
    std::chrono::nanoseconds interval_{0};
    Time next_due_;
    std::size_t turn_ = 0;
    bool sending_ = false;
    Timer pace_;
};

}  // namespace sotto::loadgen
