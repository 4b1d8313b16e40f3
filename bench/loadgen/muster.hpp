// Bringing many clients up, so many at a time, and giving them accounts before anything is measured.
#pragma once

#include "bench/loadgen/histogram.hpp"
#include "bench/loadgen/peer.hpp"

namespace sotto::loadgen {

using Identities = std::vector<std::unique_ptr<Identity>>;
using Peers = std::vector<std::unique_ptr<Peer>>;

/// Runs until `done`; false if `progress` stood still for as long as the user has patience.
[[nodiscard]] bool run_while_it_moves(Worker& worker, const std::function<bool()>& done,
                                      const std::function<std::uint64_t()>& progress);

/// Clients of one worker. Each keeps the owner that it had.
class Muster final : public Peer::Owner {
  public:
    /// `parallel` of them at a time. `times`, if any, learns how long each took.
    Muster(Worker& worker, std::size_t parallel, Histogram* times = nullptr);

    /// Until all are ready or refused. Throws Problem if it doesn't go on.
    void run(const std::vector<Peer*>& peers, Peer::As as);
    [[nodiscard]] std::size_t refused() const { return refused_.size(); }

  private:
    void on_ready(Peer& peer) override;
    void on_lost(Peer& peer, const std::string& why) override;
    void on_refused(Peer& peer, const std::string& why) override;
    void next();
    Owner& give_back(Peer& peer);

    Worker& worker_;
    std::size_t parallel_;
    Histogram* times_;
    std::vector<Peer*> waiting_;
    std::map<Peer*, Owner*> coming_;
    std::vector<Peer*> refused_;
    std::size_t ready_ = 0;
    std::string why_;
    Peer::As as_ = Peer::As::login;
};

/// What an account needs beyond being there.
enum class Needs : std::uint8_t { nothing, tokens, prekeys };  // prekeys: and tokens

/// `total` new accounts, by worker. The numbers of their clients begin at 0. Throws Problem.
[[nodiscard]] std::vector<Identities> enrol(Crew& crew, std::size_t total, Needs needs);

/// The clients of a vector of owners.
[[nodiscard]] std::vector<Peer*> all_of(const Peers& peers);

}  // namespace sotto::loadgen
