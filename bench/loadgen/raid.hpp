// Hostile peers of every kind, each at its rate, on one thread.
#pragma once

#include <map>

#include "bench/loadgen/deaf.hpp"
#include "bench/loadgen/muster.hpp"

namespace sotto::loadgen {

class Raid {
  public:
    /// `devices`: accounts for those that log in.
    Raid(Worker& worker, const HostileOptions& options, const Identities& devices);

    void run(const std::function<bool()>& done);
    /// By kind: attempted, and how it ended for how many; what is open yet is `open`.
    [[nodiscard]] nlohmann::ordered_json counts() const;
    /// At one time.
    [[nodiscard]] std::size_t most_open() const { return most_open_; }

  private:
    struct Kind {
        Mischief mischief{};
        Allowance allowance;
        std::uint64_t attempted = 0;
        std::uint64_t put_off = 0;  ///< too many were open
        std::array<std::uint64_t, fates> ended{};
    };

    void keep_pace();
    void start(Kind& kind);
    void start_deaf(Kind& kind, std::size_t number);
    [[nodiscard]] std::size_t number_of(const Kind& kind) const;
    [[nodiscard]] std::size_t open() const { return raiders_.size() + deaf_.size(); }

    Worker& worker_;
    const HostileOptions& options_;
    const Identities& devices_;
    Specimens good_;
    std::vector<Kind> kinds_;
    Time before_;  ///< the last time that what was due was started
    std::size_t most_open_ = 0;
    std::map<const Raider*, std::unique_ptr<Raider>> raiders_;
    std::map<const Deaf*, std::unique_ptr<Deaf>> deaf_;
    std::vector<std::unique_ptr<Deaf>> gone_;  ///< to be destroyed when nobody is in them any more
    Timer pace_;
};

}  // namespace sotto::loadgen
