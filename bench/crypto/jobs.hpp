// What is measured: jobs of an application, each beside the calls of libsodium that it is made of.
#pragma once

#include <benchmark/benchmark.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bench/crypto/bare.hpp"

namespace sotto::bench {

/// A row of the report.
struct Job {
    std::string name;
    std::optional<double> target_us;  ///< what it has to reach, if that was said
    std::string calls;                ///< what the bare side runs
};

/// A number of bytes that was found by looking, not by timing.
struct Size {
    std::string what;
    std::size_t bytes = 0;
    std::optional<std::size_t> target;
};

class Jobs {
  public:
    using Run = std::function<void(benchmark::State&)>;
    using Calls = std::function<void(Bare&)>;

    Jobs() : bare_(std::make_shared<Bare>()) {}

    /// Registers `ours` as NAME/ours, and a loop of `calls` as NAME/bare.
    void add(Job job, const Run& ours, const Calls& calls);
    /// Registers a loop of one call of libsodium as libsodium/NAME.
    void add_call(const std::string& name, const Calls& call);
    void add_size(Size size) { sizes_.push_back(std::move(size)); }

    [[nodiscard]] const std::vector<Job>& all() const { return jobs_; }
    [[nodiscard]] const std::vector<std::string>& calls() const { return calls_; }
    [[nodiscard]] const std::vector<Size>& sizes() const { return sizes_; }

  private:
    std::shared_ptr<Bare> bare_;
    std::vector<Job> jobs_;
    std::vector<std::string> calls_;
    std::vector<Size> sizes_;
};

void add_setup(Jobs& jobs);     ///< the first message, on both sides
void add_messages(Jobs& jobs);  ///< bursts and ping-pong in a session that both know
void add_contacts(Jobs& jobs);  ///< finding the session among 500, or none
void add_late(Jobs& jobs);      ///< 1,000 messages, newest first
void add_files(Jobs& jobs);     ///< attachment streams
void add_sizes(Jobs& jobs);     ///< of states and envelopes
void add_calls(Jobs& jobs);     ///< libsodium's calls one by one

}  // namespace sotto::bench
