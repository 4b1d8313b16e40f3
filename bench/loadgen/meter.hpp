// What a job costs the server between two moments.
#pragma once

#include "bench/loadgen/net/loop.hpp"
#include "bench/loadgen/options.hpp"
#include "bench/loadgen/process.hpp"
#include "bench/loadgen/result.hpp"

namespace sotto::loadgen {

class Meter {
  public:
    explicit Meter(const Common& common);

    /// From here on.
    void begin();
    /// Since `begin`; nothing if the server's process isn't known.
    [[nodiscard]] std::optional<double> cpu_us() const;
    [[nodiscard]] std::optional<double> pss_bytes() const;
    [[nodiscard]] double wall_s() const;
    /// All three into a result, and what this process has used itself: a load generator that has no time left
    /// is no measure of a server.
    void end(Result& result) const;

  private:
    std::optional<ServerProcess> server_;
    double cpu_ = 0;
    double own_cpu_ = 0;
    std::uint64_t pss_ = 0;
    Time began_;
};

}  // namespace sotto::loadgen
