// Changes of a status, told to those who watch it.
#include "bench/loadgen/gathering.hpp"
#include "bench/loadgen/jobs.hpp"
#include "bench/loadgen/meter.hpp"

namespace sotto::loadgen {
namespace {

/// The change under way.
struct Round {
    std::uint64_t number = 0;
    Time began;
    std::size_t told = 0;
};

}  // namespace

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
    Round round;
    Histogram each;
    std::vector<std::uint64_t> newest(watchers + publishers);
    people.on_told = [&](std::size_t person, std::uint64_t number) {
        auto& known = newest.at(person);
        if (number != round.number || known == number) {
            ++result.duplicated;
            return;
        }
        known = number;
        ++round.told;
        ++result.count;
        each.add(us_since(round.began));
    };
    const auto publisher = [&](std::size_t change) { return watchers + change % publishers; };
    const auto topic = [](std::size_t who) { return topic_of(static_cast<std::uint32_t>(who), 0); };
    for (std::size_t i = 0; i < watchers; ++i) people.watch(i, {topic(publisher(i))});
    people.wait_for_answers();
    crew.hold(quiet_time);

    const auto expected = options.apart ? std::size_t{1} : watchers;
    const Meter meter(single);
    for (std::size_t change = 0; change < options.changes; ++change) {
        round = {.number = change + 1, .began = Clock::now(), .told = 0};
        people.publish(publisher(change), {topic(publisher(change))}, round.number);
        const bool all = people.wait([&] { return round.told >= expected; });
        result.times.add(us_since(round.began));
        if (!all) result.lost += expected - round.told;
        people.wait_for_answers();
    }
    meter.end(result);
    result.server_pss_bytes = connections.pss_bytes();
    result.more["watchers_of_one"] = expected;
    result.more["changes"] = options.changes;
    result.more["told_p50_us"] = each.at(0.5);
    result.more["told_p99_us"] = each.at(0.99);
    crew.collect(result);
    return result;
}

}  // namespace sotto::loadgen
