// People on presence connections, all on one worker: they publish and watch topics, and what they are told is
// counted.
#pragma once

#include "bench/loadgen/muster.hpp"

namespace sotto::loadgen {

/// After a job's last change, for what should not come any more.
inline constexpr std::chrono::milliseconds straggling_time{300};

/// A topic of the job's own making: what `from` shows to `to`.
[[nodiscard]] std::string topic_of(std::uint32_t from, std::uint32_t to);
/// As large as a status without a text, with a number in it.
[[nodiscard]] std::string blob_of(std::uint64_t number);
/// The number; 0 for what has gone.
[[nodiscard]] std::uint64_t number_in(std::string_view blob);
/// What a client pads a batch to.
[[nodiscard]] std::size_t padded(std::size_t topics);

class Gathering final : public Peer::Owner {
  public:
    Gathering(Worker& worker, std::size_t people);

    /// Connects all. Throws Problem.
    void connect(std::size_t parallel);
    [[nodiscard]] Peer& peer(std::size_t person) { return *peers_.at(person); }

    /// Each ends in an answer.
    void publish(std::size_t person, const std::vector<std::string>& topics, std::uint64_t number);
    void watch(std::size_t person, const std::vector<std::string>& topics);
    /// Until nothing that was asked is unanswered. Throws Problem.
    void wait_for_answers();
    /// Until `done`; false if nothing moves any more.
    [[nodiscard]] bool wait(const std::function<bool()>& done);
    /// Goes with a goodbye.
    void leave(std::size_t person);
    void come(std::size_t person);

    /// Called for everything that anybody is told.
    std::function<void(std::size_t person, std::uint64_t number)> on_told;
    std::uint64_t told = 0;

  private:
    void on_reply(Peer& peer, const wire::Reply& reply) override;
    void on_lost(Peer& peer, const std::string& why) override;
    void on_refused(Peer& peer, const std::string& why) override;
    void on_left(Peer& peer) override;

    Worker& worker_;
    Peers peers_;
    std::size_t unanswered_ = 0;
    std::uint64_t answers_ = 0;
    bool gone_ = false;  ///< whoever was asked to leave
    std::optional<std::string> refused_;
};

}  // namespace sotto::loadgen
