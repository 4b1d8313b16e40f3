#include <algorithm>

#include "bench/loadgen/courier.hpp"
#include "bench/loadgen/jobs.hpp"
#include "bench/loadgen/meter.hpp"
#include "bench/loadgen/muster.hpp"
#include "bench/loadgen/restart.hpp"

namespace sotto::loadgen {
namespace {

using std::chrono::milliseconds;

/// Devices of one worker, and those who send to them while they are away.
class Post {
  public:
    Post(Worker& worker, const Identities& devices, Crew::Share share, std::size_t total,
         const MailboxOptions& options, std::size_t senders)
        : worker_(worker), messages_(options.messages), couriers_(worker, options.size), inboxes_(worker) {
        std::size_t number = share.first;
        for (const auto& identity : devices)
            devices_.push_back(std::make_unique<Device>(*this, identity.get(), number++));
        // Their numbers come after those of all devices.
        for (std::size_t i = 0; i < std::min(senders, devices_.size()); ++i) {
            rounds_.push_back(
                {.first = i,
                 .courier = std::make_unique<Courier>(couriers_, total + share.first + i, options.window)});
            round_of_[rounds_.back().courier.get()] = i;
        }
        couriers_.settled = [this](Courier& courier) { send(rounds_.at(round_of_.at(&courier))); };
        inboxes_.leave_when_done = true;
        inboxes_.left = [this] {
            ++left_;
            read_next();
        };
    }

    void connect_senders() {
        std::vector<Peer*> peers;
        peers.reserve(rounds_.size());
        for (const auto& round : rounds_) peers.push_back(&round.courier->peer());
        Muster{worker_, worker_.common().parallel}.run(peers, Peer::As::delivery);
    }

    void store() {
        sending_ = true;
        for (auto& round : rounds_) send(round);
        (void)run_while_it_moves(
            worker_,
            [this] {
                return std::ranges::all_of(rounds_, [&](const auto& round) { return finished(round); });
            },
            [this] { return couriers_.delivered + couriers_.stored + couriers_.refused; });
        sending_ = false;
    }

    void read(std::size_t parallel) {
        for (std::size_t i = 0; i < parallel; ++i) read_next();
        (void)run_while_it_moves(
            worker_, [this] { return left_ == devices_.size(); }, [this] { return received(); });
    }

    /// Once more all devices log in: nothing may be left. Returns what still waits.
    [[nodiscard]] std::uint64_t left_over() {
        std::vector<Peer*> peers;
        peers.reserve(devices_.size());
        for (const auto& device : devices_) peers.push_back(&device->inbox.peer());
        Muster{worker_, worker_.common().parallel}.run(peers, Peer::As::login);
        std::uint64_t sum = 0;
        for (auto* const peer : peers) sum += peer->waiting();
        return sum;
    }

    void add_to(Result& result) const {
        for (const auto& device : devices_) {
            const auto& ledger = device->recipient.ledger;
            result.count += ledger.sent() - ledger.lost();
            result.lost += ledger.lost();
            result.duplicated += ledger.duplicated();
            result.more["repeated_after_restart"] =
                result.more.value("repeated_after_restart", std::uint64_t{0}) + ledger.repeated();
        }
        result.more["envelope_bytes"] = couriers_.envelope.size();
        result.more["retried"] = result.more.value("retried", std::uint64_t{0}) + couriers_.retried;
        result.times.merge(couriers_.times);
    }

  private:
    struct Device {
        Device(Post& post, const Identity* identity, std::size_t number)
            : recipient{.identity = identity}, inbox(post.inboxes_, number, recipient) {}
        Recipient recipient;
        Inbox inbox;
    };
    /// What one sender has to do: a message for each of its devices, and again, until all have theirs.
    struct Round {
        std::size_t first = 0;
        std::size_t step = 0;  ///< messages sent
        std::unique_ptr<Courier> courier;
    };

    [[nodiscard]] std::size_t own(const Round& round) const {
        return (devices_.size() - round.first + rounds_.size() - 1) / rounds_.size();
    }
    [[nodiscard]] bool finished(const Round& round) const {
        return round.step == own(round) * messages_ && round.courier->under_way() == 0;
    }

    void send(Round& round) {
        while (sending_ && round.courier->room() && round.step < own(round) * messages_) {
            const auto device = round.first + (round.step++ % own(round)) * rounds_.size();
            round.courier->send(devices_.at(device)->recipient, Clock::now());
        }
    }

    void read_next() {
        if (reading_ < devices_.size()) devices_.at(reading_++)->inbox.peer().open(Peer::As::login);
    }

    [[nodiscard]] std::uint64_t received() const {
        std::uint64_t sum = 0;
        for (const auto& device : devices_) sum += device->recipient.ledger.received();
        return sum + left_;
    }

    Worker& worker_;
    std::size_t messages_;
    CourierRoom couriers_;
    InboxRoom inboxes_;
    std::vector<std::unique_ptr<Device>> devices_;
    std::vector<Round> rounds_;
    std::map<const Courier*, std::size_t> round_of_;
    bool sending_ = false;
    std::size_t reading_ = 0;
    std::uint64_t left_ = 0;
};

}  // namespace

Result mailbox(const Common& common, const MailboxOptions& options) {
    Crew crew(common);
    const auto identities = enrol(crew, options.devices, Needs::tokens);
    std::vector<std::unique_ptr<Post>> parts;
    parts.reserve(crew.size());
    for (std::size_t i = 0; i < crew.size(); ++i)
        parts.push_back(std::make_unique<Post>(crew.worker(i), identities.at(i),
                                               crew.share(i, options.devices), options.devices, options,
                                               std::max(options.senders / crew.size(), std::size_t{1})));
    crew.each([&](std::size_t i) { parts.at(i)->connect_senders(); });
    crew.hold(quiet_time);

    Result result;
    result.job = "mailbox";
    auto measured = common;
    // What another process used is not this job's.
    if (!options.restart.command.empty()) measured.server_pid.reset();
    const Meter meter(measured);
    Restart restart(options.restart);
    crew.each([&](std::size_t i) { parts.at(i)->store(); });
    const auto stored_s = meter.wall_s();
    const auto stored_us = meter.cpu_us();
    crew.each(
        [&](std::size_t i) { parts.at(i)->read(std::max(common.parallel / crew.size(), std::size_t{1})); });
    meter.end(result);
    if (const auto pid = restart.finish()) result.more["server_pid"] = *pid;
    for (const auto& part : parts) part->add_to(result);
    result.more["store_wall_s"] = stored_s;
    if (stored_us && result.server_cpu_us && result.count > 0) {
        const auto count = static_cast<double>(result.count);
        result.more["store_cpu_us_per_op"] = *stored_us / count;
        result.more["read_cpu_us_per_op"] = (*result.server_cpu_us - *stored_us) / count;
    }
    std::vector<std::uint64_t> left(crew.size());
    crew.each([&](std::size_t i) { left.at(i) = parts.at(i)->left_over(); });
    for (const auto waiting : left) result.duplicated += waiting;  // they would come again
    crew.collect(result);
    return result;
}

}  // namespace sotto::loadgen
