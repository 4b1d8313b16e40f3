#include "bench/loadgen/result.hpp"

#include <cmath>
#include <sstream>

namespace sotto::loadgen {
namespace {

using Json = nlohmann::ordered_json;

/// Two decimals: more would claim too much.
[[nodiscard]] Json rounded(double value) {
    return std::round(value * 100) / 100;
}

[[nodiscard]] Json share(const std::optional<double>& all, std::uint64_t parts) {
    if (!all || parts == 0) return nullptr;
    return rounded(*all / static_cast<double>(parts));
}

}  // namespace

Json to_json(const Result& result) {
    Json json;
    json["job"] = result.job;
    json["count"] = result.count;
    json["lost"] = result.lost;
    json["duplicated"] = result.duplicated;
    json["wall_s"] = rounded(result.wall_s);
    json["rate_per_s"] =
        result.wall_s > 0 ? rounded(static_cast<double>(result.count) / result.wall_s) : Json(nullptr);
    json["server_cpu_us_per_op"] = share(result.server_cpu_us, result.count);
    json["server_pss_bytes_per_client"] = share(result.server_pss_bytes, result.clients);
    json["p50_us"] = result.times.at(0.5);
    json["p99_us"] = result.times.at(0.99);
    json["p999_us"] = result.times.at(0.999);
    json["max_us"] = result.times.longest();
    json.update(result.more);
    json["troubles"] = result.troubles;
    return json;
}

std::string to_text(const Result& result) {
    std::ostringstream out;
    const auto json = to_json(result);
    for (const auto& [name, value] : json.items()) {
        if (name == "troubles" && value.empty()) continue;
        out << name << ": " << (value.is_string() ? value.get<std::string>() : value.dump()) << '\n';
    }
    return out.str();
}

}  // namespace sotto::loadgen
