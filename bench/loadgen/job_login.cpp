#include <algorithm>

#include "bench/loadgen/jobs.hpp"
#include "bench/loadgen/meter.hpp"
#include "bench/loadgen/muster.hpp"
#include "bench/loadgen/problem.hpp"

namespace sotto::loadgen {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t most_accounts = 1000;  // taken in turns

/// Clients of one worker that log in, leave, and are followed by the next.
class Logins final : public Peer::Owner {
  public:
    Logins(Worker& worker, const Identities& accounts, std::size_t first, std::size_t count,
           std::size_t parallel)
        : worker_(worker), accounts_(accounts), first_(first), count_(count), slots_(parallel) {
        for (std::size_t i = 0; i < slots_.size(); ++i) {
            slots_.at(i).account = i;
            slots_.at(i).next = std::make_unique<Timer>(worker.loop());
        }
    }

    void run() {
        for (auto& slot : slots_) start(slot);
        done_ = run_while_it_moves(
            worker_, [this] { return left_ + refused_ == count_; }, [this] { return left_ + refused_; });
    }

    Histogram times;
    [[nodiscard]] std::uint64_t done() const { return left_; }
    [[nodiscard]] std::uint64_t lost() const { return count_ - left_; }

  private:
    struct Slot {
        std::size_t account = 0;
        std::unique_ptr<Peer> peer;
        std::unique_ptr<Timer> next;
    };

    void start(Slot& slot) {
        if (started_ == count_) return;
        const auto number = first_ + started_++;
        slot.peer = std::make_unique<Peer>(worker_, number, accounts_.at(slot.account).get(), *this);
        slot_of_[slot.peer.get()] = &slot;
        slot.peer->open(Peer::As::login);
    }

    /// Not now: the client that has just gone is still saying so.
    void follow(Peer& peer) {
        auto& slot = *slot_of_.at(&peer);
        slot_of_.erase(&peer);
        // No account is ever logged in twice: each slot has its own.
        slot.account += slots_.size();
        if (slot.account >= accounts_.size()) slot.account %= slots_.size();
        slot.next->set(Clock::now(), [this, &slot] { start(slot); });
    }

    void on_ready(Peer& peer) override {
        times.add(us_since(peer.since()));
        peer.leave();
    }
    void on_left(Peer& peer) override {
        ++left_;
        follow(peer);
    }
    void on_lost(Peer& /*peer*/, const std::string& why) override { worker_.note(why); }
    void on_refused(Peer& peer, const std::string& why) override {
        worker_.note(why);
        ++refused_;
        follow(peer);
    }

    Worker& worker_;
    const Identities& accounts_;
    std::size_t first_;
    std::size_t count_;
    std::vector<Slot> slots_;
    std::map<Peer*, Slot*> slot_of_;
    std::size_t started_ = 0;
    std::uint64_t left_ = 0;
    std::uint64_t refused_ = 0;
    bool done_ = false;
};

}  // namespace

Result login(const Common& common, const LoginOptions& options) {
    Crew crew(common);
    const auto parallel = std::max(common.parallel / crew.size(), std::size_t{1});
    const auto accounts =
        std::clamp(options.count, parallel * crew.size(), std::max(most_accounts, parallel * crew.size()));
    const auto identities = enrol(crew, accounts, Needs::nothing);
    crew.hold(quiet_time);

    std::vector<std::unique_ptr<Logins>> parts;
    for (std::size_t i = 0; i < crew.size(); ++i) {
        const auto share = crew.share(i, options.count);
        parts.push_back(std::make_unique<Logins>(crew.worker(i), identities.at(i), share.first, share.count,
                                                 std::min(parallel, identities.at(i).size())));
    }
    Result result;
    result.job = "login";
    const Meter meter(common);
    crew.each([&](std::size_t i) { parts.at(i)->run(); });
    meter.end(result);
    for (const auto& part : parts) {
        result.count += part->done();
        result.lost += part->lost();
        result.times.merge(part->times);
    }
    result.more["parallel"] = parallel * crew.size();
    result.server_pss_bytes.reset();  // nobody is there any more
    crew.collect(result);
    return result;
}

}  // namespace sotto::loadgen
