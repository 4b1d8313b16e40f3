// One table at the end: ours, libsodium's part, their ratio, what was to be reached.
#pragma once

#include <benchmark/benchmark.h>

#include <iosfwd>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "bench/crypto/jobs.hpp"

namespace sotto::bench {

/// Google Benchmark's own report, of repeated runs their statistics alone; and all CPU times for the table.
class Report final : public benchmark::ConsoleReporter {
  public:
    void ReportRuns(const std::vector<Run>& runs) override;
    /// Median CPU times of what ran, and the sizes.
    void print(const Jobs& jobs, std::ostream& out) const;

  private:
    /// Median of all repetitions in microseconds, if it ran.
    [[nodiscard]] std::optional<double> median(const std::string& name) const;
    std::map<std::string, std::vector<double>> times_;
};

}  // namespace sotto::bench
