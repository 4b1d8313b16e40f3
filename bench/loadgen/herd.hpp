// Clients that are logged in and rest.
#pragma once

#include "bench/loadgen/muster.hpp"

namespace sotto::loadgen {

/// Those of one worker.
class Herd final : public Peer::Owner {
  public:
    Herd(Worker& worker, const Identities& accounts, std::size_t first);

    /// Logs all of them in; those that were refused are missing afterwards. Throws Problem.
    void log_in(std::size_t parallel);
    void come_back(bool yes);
    [[nodiscard]] std::size_t present() const;
    /// Runs until each has been cut off since it was first ready, and is ready again. False if that doesn't
    /// go on.
    [[nodiscard]] bool wait_for_return();

    Histogram times;    ///< of the logins
    Histogram returns;  ///< from the loss of a connection to the next Welcome
    std::size_t refused = 0;

  private:
    void on_ready(Peer& peer) override;
    void on_lost(Peer& peer, const std::string& why) override;
    void on_refused(Peer& peer, const std::string& why) override;

    Worker& worker_;
    Peers peers_;
    std::size_t back_ = 0;
    bool together_ = false;
};

}  // namespace sotto::loadgen
