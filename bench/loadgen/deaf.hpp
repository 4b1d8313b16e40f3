// A hostile peer that speaks the protocol, asks and asks, and never reads an answer.
#pragma once

#include "bench/loadgen/mischief.hpp"
#include "bench/loadgen/net/raider.hpp"
#include "bench/loadgen/peer.hpp"

namespace sotto::loadgen {

class Deaf final : public Peer::Owner {
  public:
    /// Its last event. It may be given up in it, not destroyed.
    using Ended = std::function<void(Deaf&, Fate)>;

    /// With `self` it logs in, without it only delivers. `per_second`: pings, a quarter of them
    /// requests, the others WebSocket's own, as long as they may be.
    Deaf(Worker& worker, std::size_t number, const Identity* self, double per_second, Ended ended);

  private:
    void ask();
    void end(Fate fate);
    void on_ready(Peer& peer) override;
    void on_lost(Peer& peer, const std::string& why) override;
    void on_refused(Peer& peer, const std::string& why) override;

    Worker& worker_;
    Ended ended_;
    Allowance pings_;
    Timer timer_;
    Timer patience_;
    bool begun_ = false;
    bool over_ = false;
    Peer peer_;
};

}  // namespace sotto::loadgen
