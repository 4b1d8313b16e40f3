#include <algorithm>

#include "bench/loadgen/jobs.hpp"
#include "bench/loadgen/meter.hpp"
#include "bench/loadgen/relay.hpp"
#include "bench/loadgen/restart.hpp"

namespace sotto::loadgen {

Result relay(const Common& common, const RelayOptions& options) {
    Crew crew(common);
    auto measured = common;
    // What another process used is not this job's.
    if (!options.restart.command.empty()) measured.server_pid.reset();
    const auto identities = enrol(crew, options.pairs, Needs::tokens);
    std::vector<std::unique_ptr<Relay>> parts;
    parts.reserve(crew.size());
    for (std::size_t i = 0; i < crew.size(); ++i)
        parts.push_back(std::make_unique<Relay>(crew.worker(i), identities.at(i),
                                                crew.share(i, options.pairs).first, options,
                                                options.rate / static_cast<double>(crew.size())));
    Result result;
    result.job = "relay";
    result.clients = 2 * options.pairs;
    const Meter connections(measured);
    crew.each([&](std::size_t i) {
        parts.at(i)->connect(std::max(common.parallel / crew.size(), std::size_t{1}));
    });
    crew.hold(quiet_time);

    const Meter meter(measured);
    Restart restart(options.restart);
    crew.each([&](std::size_t i) { parts.at(i)->run(options.length); });
    meter.end(result);
    result.server_pss_bytes = connections.pss_bytes();
    if (const auto pid = restart.finish()) result.more["server_pid"] = *pid;
    crew.each([&](std::size_t i) { parts.at(i)->wait_for_arrivals(); });
    result.more["pairs"] = options.pairs;
    result.more["window"] = options.window;
    if (options.rate > 0) result.more["rate_asked_for"] = options.rate;
    for (const auto& part : parts) part->add_to(result);
    crew.collect(result);
    return result;
}

}  // namespace sotto::loadgen
