// What one sender sent and what came of it: numbers from 0 up.
#pragma once

#include <cstdint>
#include <set>

namespace sotto::loadgen {

class Ledger {
  public:
    /// The next message's number.
    [[nodiscard]] std::uint64_t send() { return sent_++; }
    /// It came to the recipient. `again`: on a connection made since it was pushed before, where the protocol
    /// lets the server push what it can't know to have arrived.
    void receive(std::uint64_t number, bool again);
    /// The server said `delivered` or `stored`.
    void confirm() { ++confirmed_; }

    [[nodiscard]] std::uint64_t sent() const { return sent_; }
    [[nodiscard]] std::uint64_t confirmed() const { return confirmed_; }
    [[nodiscard]] std::uint64_t received() const { return next_ + ahead_.size(); }
    /// Sent, and not received or not confirmed.
    [[nodiscard]] std::uint64_t lost() const;
    /// Received again without a reason, or never sent.
    [[nodiscard]] std::uint64_t duplicated() const { return duplicated_; }
    /// Received again on a later connection.
    [[nodiscard]] std::uint64_t repeated() const { return repeated_; }

  private:
    std::uint64_t sent_ = 0;
    std::uint64_t confirmed_ = 0;
    std::uint64_t next_ = 0;  ///< all below have come
    std::set<std::uint64_t> ahead_;
    std::uint64_t duplicated_ = 0;
    std::uint64_t repeated_ = 0;
};

}  // namespace sotto::loadgen
