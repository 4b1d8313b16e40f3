// What a job found, and how it is shown.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "bench/loadgen/histogram.hpp"

namespace sotto::loadgen {

struct Result {
    std::string job;
    std::uint64_t count = 0;       ///< operations done
    std::uint64_t lost = 0;        ///< asked for and not done, or done and without effect
    std::uint64_t duplicated = 0;  ///< happened twice
    double wall_s = 0;
    std::optional<double> server_cpu_us;     ///< all of its threads, for all operations
    std::optional<double> server_pss_bytes;  ///< more than before
    std::uint64_t clients = 0;               ///< connections that hold that memory
    Histogram times{};
    nlohmann::ordered_json more = nlohmann::ordered_json::object();  ///< of this job alone
    std::map<std::string, std::uint64_t> troubles;  ///< what went wrong under way, and how often

    [[nodiscard]] bool clean() const { return lost == 0 && duplicated == 0 && count > 0; }
};

/// One object: job, count, lost, duplicated, wall_s, rate_per_s, server_cpu_us_per_op,
/// server_pss_bytes_per_client, p50_us, p99_us, p999_us, max_us, then what is of this job alone, then
/// `troubles`. What isn't known is null.
[[nodiscard]] nlohmann::ordered_json to_json(const Result& result);
/// The same for people, a line each.
[[nodiscard]] std::string to_text(const Result& result);

}  // namespace sotto::loadgen
