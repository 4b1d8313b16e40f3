#include <algorithm>

#include "bench/loadgen/herd.hpp"
#include "bench/loadgen/jobs.hpp"
#include "bench/loadgen/problem.hpp"
#include "bench/loadgen/process.hpp"
#include "bench/loadgen/restart.hpp"

namespace sotto::loadgen {

Result storm(const Common& common, const StormOptions& options) {
    Crew crew(common);
    const auto identities = enrol(crew, options.clients, Needs::nothing);
    std::vector<std::unique_ptr<Herd>> herds;
    herds.reserve(crew.size());
    for (std::size_t i = 0; i < crew.size(); ++i)
        herds.push_back(
            std::make_unique<Herd>(crew.worker(i), identities.at(i), crew.share(i, options.clients).first));
    crew.each(
        [&](std::size_t i) { herds.at(i)->log_in(std::max(common.parallel / crew.size(), std::size_t{1})); });
    crew.hold(quiet_time);
    const auto troubles_before = crew.troubles();

    Result result;
    result.job = "storm";
    result.clients = options.clients;
    const auto began = Clock::now();
    Restart restart(options.restart);
    crew.each([&](std::size_t i) { (void)herds.at(i)->wait_for_return(); });
    const auto pid = restart.finish();
    result.wall_s = std::chrono::duration<double>(Clock::now() - began).count();
    if (!pid) throw Problem(Exit::input, "A storm needs a command that restarts the server: --restart.");
    // All that the new process has done since it began.
    result.server_cpu_us = ServerProcess(*pid).cpu_us();
    result.more["server_pid"] = *pid;

    crew.hold(quiet_time);
    for (const auto& herd : herds) {
        result.count += herd->present();
        result.times.merge(herd->returns);
    }
    result.lost = options.clients - result.count;
    crew.collect(result);
    for (const auto& [what, times] : troubles_before) {
        auto& left = result.troubles[what] -= times;
        if (left == 0) result.troubles.erase(what);
    }
    return result;
}

}  // namespace sotto::loadgen
