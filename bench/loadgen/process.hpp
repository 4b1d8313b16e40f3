// What the server costs, and what this process may have, as the kernel counts it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

namespace sotto::loadgen {

class ServerProcess {
  public:
    /// Throws Problem if there is no such process, or if it can't be looked at.
    explicit ServerProcess(pid_t pid);

    /// CPU time of all its threads since it began, those that have ended included.
    [[nodiscard]] double cpu_us() const;
    /// Proportional set size, in bytes.
    [[nodiscard]] std::uint64_t pss() const;

  private:
    pid_t pid_;
    clockid_t clock_ = 0;
};

/// The "Pss:" line of a smaps_rollup, in bytes.
[[nodiscard]] std::optional<std::uint64_t> parse_pss(const std::string& smaps_rollup);

/// Raises this process's limit of descriptors as far as it may. One sentence if that isn't enough for so many
/// connections.
[[nodiscard]] std::optional<std::string> allow_connections(std::size_t connections);

}  // namespace sotto::loadgen
