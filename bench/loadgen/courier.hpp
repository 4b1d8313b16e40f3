// The two ends of a delivery: who sends envelopes by a delivery connection, and the device that takes them.
#pragma once

#include "bench/loadgen/histogram.hpp"
#include "bench/loadgen/ledger.hpp"
#include "bench/loadgen/peer.hpp"

namespace sotto::loadgen {

/// Bytes of the envelope that has so many bytes of content, sealed and padded.
[[nodiscard]] std::size_t envelope_size(std::size_t content);

/// A device as its sender knows it.
struct Recipient {
    const Identity* identity = nullptr;
    Ledger ledger{};
};

class Courier;
class Inbox;

/// What all couriers of a worker share.
struct CourierRoom {
    CourierRoom(Worker& its, std::size_t content);
    Worker& worker;
    /// Called when an envelope of this courier has been answered for good.
    std::function<void(Courier&)> settled;
    Histogram times;
    std::uint64_t delivered = 0;
    std::uint64_t stored = 0;
    std::uint64_t refused = 0;
    std::uint64_t retried = 0;
    std::string envelope;  ///< a number is written into each
    wire::Request request;
};

class Courier final : public Peer::Owner {
  public:
    Courier(CourierRoom& room, std::size_t number, std::size_t window);

    [[nodiscard]] Peer& peer() { return peer_; }
    [[nodiscard]] bool room() const { return peer_.ready() && slots_.size() < window_; }
    [[nodiscard]] std::size_t under_way() const { return slots_.size(); }
    /// `began`: from when on its time is counted.
    void send(Recipient& to, Time began);

  private:
    struct Slot {
        std::uint32_t request = 0;
        Recipient* to = nullptr;
        std::uint64_t number = 0;
        Array<16> id{};
        Time began;
        bool put_off = false;  ///< until the server takes it
    };
    void transmit(Slot& slot);
    void transmit_again(bool all);
    void on_ready(Peer& peer) override;
    void on_reply(Peer& peer, const wire::Reply& reply) override;
    void on_lost(Peer& peer, const std::string& why) override { (void)peer, room_.worker.note(why); }
    void on_refused(Peer& peer, const std::string& why) override { (void)peer, room_.worker.note(why); }

    CourierRoom& room_;
    std::size_t window_;
    std::vector<Slot> slots_;
    Timer again_;
    Peer peer_;
};

/// What all inboxes of a worker share. Acknowledgements leave at the end of the turn, as one frame for each
/// device.
struct InboxRoom {
    explicit InboxRoom(Worker& its);
    ~InboxRoom();
    InboxRoom(const InboxRoom&) = delete;
    InboxRoom& operator=(const InboxRoom&) = delete;
    Worker& worker;
    /// A device leaves when it has all that was sent to it, or when nothing waits for it.
    bool leave_when_done = false;
    std::function<void()> left;  ///< one has
    std::vector<Inbox*> owing;
    wire::Request request;
};

class Inbox final : public Peer::Owner {
  public:
    Inbox(InboxRoom& room, std::size_t number, Recipient& recipient);

    [[nodiscard]] Peer& peer() { return peer_; }
    [[nodiscard]] bool quiet() const { return owed_.empty() && unheard_ == 0; }
    void acknowledge();

  private:
    void on_ready(Peer& peer) override;
    void on_reply(Peer& peer, const wire::Reply& reply) override;
    void on_lost(Peer& peer, const std::string& why) override;
    void on_refused(Peer& peer, const std::string& why) override { (void)peer, room_.worker.note(why); }
    void on_left(Peer& peer) override;

    InboxRoom& room_;
    Recipient& recipient_;
    std::vector<std::string> owed_;  ///< envelope ids
    std::size_t unheard_ = 0;        ///< acknowledgements without an answer
    Peer peer_;
};

}  // namespace sotto::loadgen
