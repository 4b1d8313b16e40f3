#include "bench/loadgen/relay.hpp"

#include <algorithm>

namespace sotto::loadgen {
namespace {

using std::chrono::nanoseconds;

void add(Result& result, const char* name, std::uint64_t more) {
    result.more[name] = result.more.value(name, std::uint64_t{0}) + more;
}

}  // namespace

Relay::Pair::Pair(Relay& relay, const Identity* identity, std::size_t number, std::size_t window)
    : recipient{.identity = identity},
      courier(relay.couriers_, 2 * number + 1, window),
      inbox(relay.inboxes_, 2 * number, recipient) {}

Relay::Relay(Worker& worker, const Identities& recipients, std::size_t first, const RelayOptions& options,
             double rate)
    : worker_(worker), couriers_(worker, options.size), inboxes_(worker), pace_(worker.loop()) {
    if (rate > 0)
        interval_ = std::chrono::duration_cast<nanoseconds>(std::chrono::duration<double>(1 / rate));
    for (const auto& identity : recipients) {
        pairs_.push_back(std::make_unique<Pair>(*this, identity.get(), first++, options.window));
        pair_of_[&pairs_.back()->courier] = pairs_.back().get();
    }
    couriers_.settled = [this](Courier& courier) { go_on(*pair_of_.at(&courier)); };
}

void Relay::connect(std::size_t parallel) {
    std::vector<Peer*> recipients;
    std::vector<Peer*> senders;
    for (const auto& pair : pairs_) {
        recipients.push_back(&pair->inbox.peer());
        senders.push_back(&pair->courier.peer());
    }
    Muster{worker_, parallel}.run(recipients, Peer::As::login);
    Muster{worker_, parallel}.run(senders, Peer::As::delivery);
}

void Relay::run(std::chrono::seconds length) {
    sending_ = true;
    for (const auto& pair : pairs_) pair->due.clear();  // of a time before
    next_due_ = Clock::now();
    if (interval_ > nanoseconds::zero())
        keep_pace();
    else
        for (const auto& pair : pairs_) go_on(*pair);
    (void)worker_.loop().run([] { return false; }, Clock::now() + length);
    sending_ = false;
    pace_.cancel();
    (void)run_while_it_moves(
        worker_, [this] { return under_way() == 0; },
        [this] { return couriers_.delivered + couriers_.stored + couriers_.refused; });
}

void Relay::wait_for_arrivals() {
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

void Relay::add_to(Result& result) const {
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

std::size_t Relay::under_way() const {
    std::size_t sum = 0;
    for (const auto& pair : pairs_) sum += pair->courier.under_way();
    return sum;
}

void Relay::go_on(Pair& pair) {
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

/// One message falls due each interval, for one pair after the other, whatever became of those before: what
/// is slow shows as time, not as fewer messages.
void Relay::keep_pace() {
    for (const auto now = Clock::now(); next_due_ <= now; next_due_ += interval_) {
        auto& pair = *pairs_.at(turn_++ % pairs_.size());
        pair.due.push_back(next_due_);
        go_on(pair);
    }
    pace_.set(next_due_, [this] { keep_pace(); });
}

}  // namespace sotto::loadgen
