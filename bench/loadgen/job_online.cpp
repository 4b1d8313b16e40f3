// People with contacts come online: memory of each, and what one who comes and goes costs.
#include <algorithm>

#include "bench/loadgen/gathering.hpp"
#include "bench/loadgen/jobs.hpp"
#include "bench/loadgen/meter.hpp"
#include "bench/loadgen/problem.hpp"
#include "bench/loadgen/told.hpp"

namespace sotto::loadgen {
namespace {

/// Everybody's contacts are those beside them in a ring, on either side.
class Ring {
  public:
    Ring(std::size_t people, std::size_t contacts) : people_(people), contacts_(contacts) {}

    /// What this person publishes, or watches, filled up as a client does it.
    [[nodiscard]] std::vector<std::string> published(std::size_t person) const {
        std::vector<std::string> out;
        for (const auto other : contacts_of(person)) out.push_back(topic_of(number(person), other));
        fill(person, 'p', out);
        return out;
    }
    [[nodiscard]] std::vector<std::string> watched(std::size_t person) const {
        std::vector<std::string> out;
        for (const auto other : contacts_of(person)) out.push_back(topic_of(other, number(person)));
        fill(person, 'w', out);
        return out;
    }

  private:
    [[nodiscard]] static std::uint32_t number(std::size_t person) {
        return static_cast<std::uint32_t>(person);
    }
    [[nodiscard]] std::vector<std::uint32_t> contacts_of(std::size_t person) const {
        std::vector<std::uint32_t> out;
        for (std::size_t step = 1; out.size() < contacts_; ++step) {
            out.push_back(number((person + step) % people_));
            if (out.size() < contacts_) out.push_back(number((person + people_ - step) % people_));
        }
        return out;
    }
    void fill(std::size_t person, char kind, std::vector<std::string>& topics) const {
        for (auto dummy = number(people_); topics.size() < padded(contacts_); ++dummy) {
            topics.push_back(topic_of(number(person), dummy));
            topics.back().back() = kind;
        }
    }
    std::size_t people_;
    std::size_t contacts_;
};

}  // namespace

Result online(const Common& common, const OnlineOptions& options) {
    // With so many that the two sides of the ring don't meet.
    if (options.people <= options.contacts + 1)
        throw Problem(Exit::input, "There have to be more people than one has contacts; raise --people.");
    auto single = common;
    single.threads = 1;
    Crew crew(single);
    Gathering people(crew.worker(0), options.people);
    people.connect(single.parallel);
    crew.hold(quiet_time);

    const Ring ring(options.people, options.contacts);
    const auto appear = [&](std::size_t person, std::uint64_t number) {
        people.watch(person, ring.watched(person));
        people.publish(person, ring.published(person), number);
    };
    Result result;
    result.job = "online";
    result.clients = options.people;
    const Meter gathering(single);
    for (std::size_t person = 0; person < options.people; ++person) {
        appear(person, 1);
        if (person % 16 == 15) people.wait_for_answers();
    }
    people.wait_for_answers();
    crew.hold(quiet_time);
    const auto memory = gathering.pss_bytes();
    const auto all_cpu = gathering.cpu_us();
    result.more["all_online_cpu_us_per_person"] =
        all_cpu ? nlohmann::ordered_json(*all_cpu / static_cast<double>(options.people))
                : nlohmann::ordered_json(nullptr);

    // One of them goes, and comes again: each contact is told of both, and the one of all contacts.
    Told told(options.people);
    std::size_t own = 0;
    std::size_t own_due = 0;
    people.on_told = [&](std::size_t person, std::uint64_t number) {
        if (person == 0)
            ++own;
        else
            (void)told.hear(person, number);
    };
    const Meter meter(single);
    std::optional<double> coming;
    for (std::size_t round = 0; round < options.rounds; ++round) {
        told.begin(number_in({}), options.contacts);
        people.leave(0);
        if (!people.wait([&] { return told.all(); })) ++result.lost;
        const Meter arrival(single);
        const auto began = Clock::now();
        people.come(0);
        told.begin(round + 2, options.contacts);
        own_due += options.contacts;
        appear(0, round + 2);
        people.wait_for_answers();
        if (!people.wait([&] { return told.all() && own >= own_due; })) ++result.lost;
        result.times.add(us_since(began));
        if (const auto cpu = arrival.cpu_us()) coming = coming.value_or(0) + *cpu;
        ++result.count;
    }
    meter.end(result);
    crew.hold(straggling_time);
    result.duplicated = told.twice() + (own - std::min(own, own_due));
    // Its going is not asked about.
    result.server_cpu_us = coming;
    result.server_pss_bytes = memory;
    result.more["contacts"] = options.contacts;
    crew.collect(result);
    return result;
}

}  // namespace sotto::loadgen
