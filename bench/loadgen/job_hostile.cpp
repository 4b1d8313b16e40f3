#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <thread>

#include "bench/loadgen/jobs.hpp"
#include "bench/loadgen/memory.hpp"
#include "bench/loadgen/meter.hpp"
#include "bench/loadgen/raid.hpp"
#include "bench/loadgen/relay.hpp"

namespace sotto::loadgen {
namespace {

using Json = nlohmann::ordered_json;

/// More than there are of them at one time: a second login of one would end the first.
constexpr std::size_t deaf_devices = 100;

/// A crew of hostile peers on a thread of its own, for as long as this lives.
class Raiding {
  public:
    Raiding(const Common& common, const HostileOptions& options)
        : crew_(common),
          devices_(enrol(crew_, deaf_devices, Needs::nothing)),
          raid_(crew_.worker(0), options, devices_.front()) {}

    void begin() {
        thread_ = std::jthread{[this] {
            // On this thread alone. They would be on other machines: what they cost is not to delay the
            // honest.
            (void)::setpriority(PRIO_PROCESS, 0, lowest_priority);
            try {
                raid_.run([this] { return over_.load(); });
            } catch (...) {
                thrown_ = std::current_exception();
            }
        }};
    }

    void end() {
        over_ = true;
        thread_.join();
        if (thrown_) std::rethrow_exception(thrown_);
    }

    [[nodiscard]] const Raid& raid() const { return raid_; }

  private:
    static constexpr int lowest_priority = 19;
    Crew crew_;
    std::vector<Identities> devices_;
    Raid raid_;
    std::atomic<bool> over_ = false;
    std::exception_ptr thrown_;
    std::jthread thread_;
};

/// The honest pairs of all workers.
class Honest {
  public:
    Honest(Crew& crew, const RelayOptions& options)
        : crew_(crew), identities_(enrol(crew, options.pairs, Needs::tokens)) {
        for (std::size_t i = 0; i < crew.size(); ++i)
            parts_.push_back(std::make_unique<Relay>(crew.worker(i), identities_.at(i),
                                                     crew.share(i, options.pairs).first, options,
                                                     options.rate / static_cast<double>(crew.size())));
        const auto parallel = std::max(crew.common().parallel / crew.size(), std::size_t{1});
        crew.each([&](std::size_t i) { parts_.at(i)->connect(parallel); });
    }

    [[nodiscard]] Histogram run(std::chrono::seconds length) {
        crew_.each([&](std::size_t i) { parts_.at(i)->run(length); });
        Histogram times;
        for (const auto& part : parts_) times.merge(part->take_times());
        return times;
    }

    void finish(Result& result) {
        crew_.each([&](std::size_t i) { parts_.at(i)->wait_for_arrivals(); });
        for (const auto& part : parts_) part->add_to(result);
    }

  private:
    Crew& crew_;
    std::vector<Identities> identities_;
    std::vector<std::unique_ptr<Relay>> parts_;
};

void put_times(Result& result, const std::string& phase, const Histogram& times, const Meter& meter) {
    result.more[phase + "_p50_us"] = times.at(0.5);
    result.more[phase + "_p99_us"] = times.at(0.99);
    const auto busy = meter.cpu_us();
    result.more[phase + "_server_cpu_ms_per_s"] = busy ? Json(*busy / 1e3 / meter.wall_s()) : Json(nullptr);
}

[[nodiscard]] Json known(const std::optional<std::uint64_t>& bytes) {
    return bytes ? Json(*bytes) : Json(nullptr);
}

}  // namespace

Result hostile(const Common& common, const HostileOptions& options) {
    auto theirs = common;
    theirs.threads = 1;
    Raiding raiding(theirs, options);
    Crew crew(common);
    Honest honest(crew, options.relay);
    crew.hold(quiet_time);

    Result result;
    result.job = "hostile";
    result.clients = 2 * options.relay.pairs;
    const Meter all(common);
    MemoryWatch quiet_memory(common.server_pid);
    Meter phase(common);
    const auto quiet_times = honest.run(options.quiet);
    put_times(result, "quiet", quiet_times, phase);
    const auto before = quiet_memory.peak();

    MemoryWatch memory(common.server_pid);
    phase.begin();
    raiding.begin();
    result.times = honest.run(options.relay.length);
    put_times(result, "hostile", result.times, phase);
    const auto peak = memory.peak();
    raiding.end();
    result.more["hostile_open"] = raiding.raid().most_open();
    all.end(result);
    result.server_pss_bytes.reset();  // not that of the honest alone

    crew.hold(quiet_time);
    honest.finish(result);
    const auto quiet_p99 = quiet_times.at(0.99);
    result.more["p99_ratio"] =
        quiet_p99 == 0 ? Json(nullptr)
                       : Json(static_cast<double>(result.times.at(0.99)) / static_cast<double>(quiet_p99));
    result.more["server_pss_before_bytes"] = known(before);
    result.more["server_pss_peak_bytes"] = known(peak);
    result.more["server_pss_after_bytes"] = known(MemoryWatch(common.server_pid).peak());
    result.more["pairs"] = options.relay.pairs;
    result.more["rate_asked_for"] = options.relay.rate;
    result.more["hostile"] = raiding.raid().counts();
    crew.collect(result);
    return result;
}

}  // namespace sotto::loadgen
