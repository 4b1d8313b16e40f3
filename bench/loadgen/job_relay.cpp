#include <algorithm>
#include <deque>

#include "bench/loadgen/courier.hpp"
#include "bench/loadgen/jobs.hpp"
#include "bench/loadgen/meter.hpp"
#include "bench/loadgen/muster.hpp"
#include "bench/loadgen/restart.hpp"

namespace sotto::loadgen {
namespace {

using std::chrono::nanoseconds;

/// The pairs of one worker. Both ends of a pair are on one thread.
class Relay {
  public:
    Relay(Worker& worker, const Identities& recipients, std::size_t first, const RelayOptions& options,
          double rate)
        : worker_(worker),
          length_(options.length),
          couriers_(worker, options.size),
          inboxes_(worker),
          pace_(worker.loop()) {
        if (rate > 0)
            interval_ = std::chrono::duration_cast<nanoseconds>(std::chrono::duration<double>(1 / rate));
        for (const auto& identity : recipients) {
            pairs_.push_back(std::make_unique<Pair>(*this, identity.get(), first++, options.window));
            pair_of_[&pairs_.back()->courier] = pairs_.back().get();
        }
        couriers_.settled = [this](Courier& courier) { go_on(*pair_of_.at(&courier)); };
    }

    void connect(std::size_t parallel) {
        std::vector<Peer*> recipients;
        std::vector<Peer*> senders;
        for (const auto& pair : pairs_) {
            recipients.push_back(&pair->inbox.peer());
            senders.push_back(&pair->courier.peer());
        }
        Muster{worker_, parallel}.run(recipients, Peer::As::login);
        Muster{worker_, parallel}.run(senders, Peer::As::delivery);
    }

    void run() {
        sending_ = true;
        next_due_ = Clock::now();
        if (interval_ > nanoseconds::zero())
            keep_pace();
        else
            for (const auto& pair : pairs_) go_on(*pair);
        (void)worker_.loop().run([] { return false; }, Clock::now() + length_);
        sending_ = false;
        pace_.cancel();
        (void)run_while_it_moves(
            worker_, [this] { return under_way() == 0; },
            [this] { return couriers_.delivered + couriers_.stored + couriers_.refused; });
    }

    /// What was stored may still be on its way to a recipient, or wait for one who comes back.
    void wait_for_arrivals() {
        const auto arrived = [this] {
            return std::ranges::all_of(pairs_, [](const auto& pair) {
                const auto& ledger = pair->recipient.ledger;
                return ledger.received() == ledger.sent() && pair->inbox.quiet();
            });
        };
        (void)run_while_it_moves(worker_, arrived, [this] {
            std::uint64_t sum = 0;
            for (const auto& pair : pairs_) sum += pair->recipient.ledger.received();
            return sum;
        });
    }

    void add_to(Result& result) const {
        for (const auto& pair : pairs_) {
            const auto& ledger = pair->recipient.ledger;
            result.count += ledger.sent() - ledger.lost();
            result.lost += ledger.lost();
            result.duplicated += ledger.duplicated();
            add(result, "repeated_after_restart", ledger.repeated());
        }
        add(result, "delivered", couriers_.delivered);
        add(result, "stored", couriers_.stored);
        add(result, "retried", couriers_.retried);
        result.more["envelope_bytes"] = couriers_.envelope.size();
        result.times.merge(couriers_.times);
    }

  private:
    struct Pair {
        Pair(Relay& relay, const Identity* identity, std::size_t number, std::size_t window)
            : recipient{.identity = identity},
              courier(relay.couriers_, 2 * number + 1, window),
              inbox(relay.inboxes_, 2 * number, recipient) {}
        Recipient recipient;
        Courier courier;
        Inbox inbox;
        std::deque<Time> due;  ///< what the window holds back
    };

    static void add(Result& result, const char* name, std::uint64_t more) {
        result.more[name] = result.more.value(name, std::uint64_t{0}) + more;
    }

    [[nodiscard]] std::size_t under_way() const {
        std::size_t sum = 0;
        for (const auto& pair : pairs_) sum += pair->courier.under_way();
        return sum;
    }

    void go_on(Pair& pair) {
        while (sending_ && pair.courier.room()) {
            if (interval_ == nanoseconds::zero()) {
                pair.courier.send(pair.recipient, Clock::now());
            } else {
                if (pair.due.empty()) return;
                pair.courier.send(pair.recipient, pair.due.front());
                pair.due.pop_front();
            }
        }
    }

    /// One message falls due each interval, for one pair after the other, whatever became of those before:
    /// what is slow shows as time, not as fewer messages.
    void keep_pace() {
        for (const auto now = Clock::now(); next_due_ <= now; next_due_ += interval_) {
            auto& pair = *pairs_.at(turn_++ % pairs_.size());
            pair.due.push_back(next_due_);
            go_on(pair);
        }
        pace_.set(next_due_, [this] { keep_pace(); });
    }

    Worker& worker_;
    std::chrono::seconds length_;
    CourierRoom couriers_;
    InboxRoom inboxes_;
    std::vector<std::unique_ptr<Pair>> pairs_;
    std::map<const Courier*, Pair*> pair_of_;
    nanoseconds interval_{0};
    Time next_due_;
    std::size_t turn_ = 0;
    bool sending_ = false;
    Timer pace_;
};

}  // namespace

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
    crew.each([&](std::size_t i) { parts.at(i)->run(); });
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
