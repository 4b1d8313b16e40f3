// What the server counts, as Prometheus reads it. Nothing in it names anybody.
#pragma once

#include <string>

#include "keyserver/core/counters.hpp"
#include "keyserver/net/server.hpp"

namespace sotto::keyserver {

/// What is as it is at the moment of asking.
struct Gauges {
    std::size_t connections = 0;
    std::size_t max_connections = 0;
    std::size_t devices_online = 0;
    std::size_t presence_topics = 0;  ///< published or watched
    std::size_t presence_held = 0;    ///< published
    std::size_t envelopes_unacknowledged = 0;
    std::size_t addresses = 0;  ///< that are remembered for their limits
    std::size_t store_queue = 0;
    std::uint64_t store_failures = 0;
    std::uint64_t store_jobs = 0;
    std::uint64_t certificate_expires = 0;  ///< seconds since 1970
    bool ready = false;
};

/// The text format of Prometheus, version 0.0.4. `store`: the counters of the store's own thread.
[[nodiscard]] std::string metrics_text(const Counters& counters, const Counters& store,
                                       const NetCounters& net, const Gauges& gauges,
                                       const std::string& version);

}  // namespace sotto::keyserver
