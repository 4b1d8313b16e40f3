// A TCP connection and nothing around it: blocking calls on the loopback interface.
#pragma once

#include <cstddef>
#include <vector>

namespace sotto::bench {

/// Microseconds of each round trip of a message of so many bytes.
[[nodiscard]] std::vector<double> bare_round_trips(std::size_t size, int count);
/// MB/s (10^6 bytes) of so many bytes in pieces of so many.
[[nodiscard]] double bare_bulk(std::size_t total, std::size_t piece);

}  // namespace sotto::bench
