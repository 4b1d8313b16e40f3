#include <algorithm>

#include "bench/loadgen/herd.hpp"
#include "bench/loadgen/jobs.hpp"
#include "bench/loadgen/meter.hpp"

namespace sotto::loadgen {

Result idle(const Common& common, const IdleOptions& options) {
    Crew crew(common);
    const auto identities = enrol(crew, options.clients, Needs::nothing);
    crew.hold(quiet_time);

    std::vector<std::unique_ptr<Herd>> herds;
    herds.reserve(crew.size());
    for (std::size_t i = 0; i < crew.size(); ++i)
        herds.push_back(
            std::make_unique<Herd>(crew.worker(i), identities.at(i), crew.share(i, options.clients).first));
    Result result;
    result.job = "idle";
    result.clients = options.clients;
    const Meter meter(common);
    crew.each([&](std::size_t i) {
        herds.at(i)->log_in(std::max(common.parallel / crew.size(), std::size_t{1}));
        herds.at(i)->come_back(false);
    });
    result.wall_s = meter.wall_s();
    result.server_cpu_us = meter.cpu_us();

    crew.hold(quiet_time);
    const Meter resting(common);
    crew.hold(options.hold);
    const auto rested_us = resting.cpu_us();
    const auto rested_s = resting.wall_s();
    result.server_pss_bytes = meter.pss_bytes();
    for (const auto& herd : herds) {
        result.count += herd->present();
        result.times.merge(herd->times);
    }
    result.lost = options.clients - result.count;
    result.more["hold_s"] = rested_s;
    result.more["server_idle_cpu_ms_per_s"] =
        rested_us ? nlohmann::ordered_json(*rested_us / 1e3 / rested_s) : nlohmann::ordered_json(nullptr);
    crew.collect(result);
    return result;
}

}  // namespace sotto::loadgen
