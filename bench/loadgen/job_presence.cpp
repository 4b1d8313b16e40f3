// Changes of a status, told to those who watch it.
#include "bench/loadgen/gathering.hpp"
#include "bench/loadgen/jobs.hpp"
#include "bench/loadgen/meter.hpp"
#include "bench/loadgen/told.hpp"

namespace sotto::loadgen {
Result presence(const Common& common, const PresenceOptions& options) {
    auto single = common;
    single.threads = 1;  // a change is sent and seen on one clock
    Crew crew(single);
    const auto watchers = options.watchers;
    const auto publishers = options.apart ? watchers : std::size_t{1};
    Gathering people(crew.worker(0), watchers + publishers);
    const Meter connections(single);
    people.connect(single.parallel);

    Result result;
    result.job = "presence";
    result.clients = watchers + publishers;
    Told told(watchers + publishers);
    Time began;
    Histogram each;
    people.on_told = [&](std::size_t person, std::uint64_t number) {
        if (!told.hear(person, number)) return;
        ++result.count;
        each.add(us_since(began));
    };
    const auto publisher = [&](std::size_t change) { return watchers + change % publishers; };
    const auto topic = [](std::size_t who) { return topic_of(static_cast<std::uint32_t>(who), 0); };
    for (std::size_t i = 0; i < watchers; ++i) people.watch(i, {topic(publisher(i))});
    people.wait_for_answers();
    crew.hold(quiet_time);

    const auto expected = options.apart ? std::size_t{1} : watchers;
    const Meter meter(single);
    for (std::size_t change = 0; change < options.changes; ++change) {
        told.begin(change + 1, expected);
        began = Clock::now();
        people.publish(publisher(change), {topic(publisher(change))}, change + 1);
        (void)people.wait([&] { return told.all(); });
        result.times.add(us_since(began));
        result.lost += told.missing();
        people.wait_for_answers();
    }
    meter.end(result);
    crew.hold(straggling_time);
    result.duplicated = told.twice();
    result.server_pss_bytes = connections.pss_bytes();
    result.more["watchers_of_one"] = expected;
    result.more["changes"] = options.changes;
    result.more["told_p50_us"] = each.at(0.5);
    result.more["told_p99_us"] = each.at(0.99);
    crew.collect(result);
    return result;
}

}  // namespace sotto::loadgen
