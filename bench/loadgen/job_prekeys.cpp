#include <algorithm>
#include <set>

#include "bench/loadgen/jobs.hpp"
#include "bench/loadgen/meter.hpp"
#include "bench/loadgen/muster.hpp"
#include "sotto/crypto/prekeys.hpp"

namespace sotto::loadgen {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t fetches_a_target =
    crypto::prekey_batch;  // each gets one-time prekeys: as many as are published
constexpr std::size_t fetches_a_client = 100;

/// Clients of one worker that fetch, one after the other, as many at a time as are allowed.
class Fetches final : public Peer::Owner {
  public:
    Fetches(Worker& worker, const Identities& targets, std::size_t first_number, std::size_t count)
        : worker_(worker), count_(count) {
        for (const auto& target : targets)
            targets_.push_back({.identity = target.get(), .one_time = {}, .one_time_kem = {}});
        for (std::size_t i = 0; i * fetches_a_client < count; ++i)
            clients_.push_back(std::make_unique<Client>(worker, first_number + i, *this));
    }

    void connect(std::size_t parallel) {
        std::vector<Peer*> peers;
        peers.reserve(clients_.size());
        for (const auto& client : clients_) peers.push_back(&client->peer);
        Muster{worker_, parallel}.run(peers, Peer::As::delivery);
    }

    void run(std::size_t parallel) {
        for (std::size_t i = 0; i < parallel; ++i) next_client();
        (void)run_while_it_moves(
            worker_, [this] { return done_ + refused_ == count_; }, [this] { return done_ + refused_; });
    }

    Histogram times;
    [[nodiscard]] std::uint64_t done() const { return done_; }
    [[nodiscard]] std::uint64_t lost() const { return count_ - done_; }
    [[nodiscard]] std::uint64_t duplicated() const { return duplicated_; }
    [[nodiscard]] std::uint64_t last_resort() const { return last_resort_; }

  private:
    struct Target {
        const Identity* identity = nullptr;
        std::set<std::uint32_t> one_time;  ///< prekeys that were handed out
        std::set<std::uint32_t> one_time_kem;
        bool checked = false;
    };
    struct Client {
        Client(Worker& worker, std::size_t number, Fetches& owner)
            : peer(worker, number, nullptr, owner), again(worker.loop()) {}
        Peer peer;
        Timer again;
        std::size_t left = fetches_a_client;
        Target* target = nullptr;  ///< it waits for this one's
        Time began;
    };

    void next_client() {
        if (active_ == clients_.size()) return;
        auto& client = *clients_.at(active_++);
        client_of_[&client.peer] = &client;
        fetch(client);
    }

    void fetch(Client& client) {
        if (client.left == 0 || started_ == count_) return next_client();
        --client.left;
        client.target = &targets_.at(started_++ % targets_.size());
        client.began = Clock::now();
        ask(client);
    }

    void ask(Client& client) {
        if (!client.peer.ready()) return;
        auto& message = *worker_.request.mutable_fetch_prekeys();
        const auto& target = *client.target->identity;
        message.set_user(target.user());
        message.set_device(Identity::device);
        const auto token = target.token().expose();
        message.mutable_credential()->mutable_token()->assign(chars_of(token));
        client.peer.send(worker_.request);
    }

    void on_ready(Peer& peer) override {
        const auto client = client_of_.find(&peer);
        if (client != client_of_.end() && client->second->target != nullptr) ask(*client->second);
    }

    void on_reply(Peer& peer, const wire::Reply& reply) override {
        auto& client = *client_of_.at(&peer);
        if (client.target == nullptr) return;
        if (reply.body_case() == wire::Reply::kFailure) {
            const auto& failure = reply.failure();
            worker_.note(name_of(failure.code()));
            if (passes(failure.code()))
                return client.again.set(Clock::now() + milliseconds{failure.retry_after_ms()},
                                        [this, &client] { ask(client); });
            ++refused_;
        } else if (reply.body_case() == wire::Reply::kPrekeys) {
            times.add(us_since(client.began));
            take(*client.target, reply.prekeys());
        } else {
            return;
        }
        client.target = nullptr;
        fetch(client);
    }

    void take(Target& target, const wire::Prekeys& prekeys) {
        const auto kem = crypto::KemPrekey::decode(bytes_of(prekeys.kem_prekey()));
        if (!kem || (!target.checked && !whole(target, prekeys))) {
            worker_.note("a bundle that doesn't hold");
            ++refused_;
            return;
        }
        target.checked = true;
        ++done_;
        if (kem->kind == crypto::KemPrekeyKind::last_resort)
            ++last_resort_;
        else if (!target.one_time_kem.insert(kem->id).second)
            ++duplicated_;
        if (prekeys.one_time().empty()) return;
        const auto one_time = crypto::OneTimePrekey::decode(bytes_of(prekeys.one_time()));
        if (one_time && !target.one_time.insert(one_time->id).second) ++duplicated_;
    }

    /// Every signature, as somebody who begins a session checks them.
    [[nodiscard]] static bool whole(const Target& target, const wire::Prekeys& prekeys) {
        auto record = crypto::AccountRecord::parse(bytes_of(prekeys.record()));
        const auto signed_prekey = crypto::SignedPrekey::decode(bytes_of(prekeys.signed_prekey()));
        const auto kem = crypto::KemPrekey::decode(bytes_of(prekeys.kem_prekey()));
        if (!record || !signed_prekey || !kem || record->hash() != target.identity->record().hash())
            return false;
        const crypto::PrekeyBundle bundle{.record = *std::move(record),
                                          .device = Identity::device,
                                          .signed_prekey = *signed_prekey,
                                          .kem_prekey = *kem,
                                          .one_time_prekey = std::nullopt};
        return bundle.check(today()).has_value();
    }

    void on_lost(Peer& /*peer*/, const std::string& why) override { worker_.note(why); }
    void on_refused(Peer& /*peer*/, const std::string& why) override { worker_.note(why); }

    Worker& worker_;
    std::size_t count_;
    std::vector<Target> targets_;
    std::vector<std::unique_ptr<Client>> clients_;
    std::map<const Peer*, Client*> client_of_;
    std::size_t active_ = 0;
    std::size_t started_ = 0;
    std::uint64_t done_ = 0;
    std::uint64_t refused_ = 0;
    std::uint64_t duplicated_ = 0;
    std::uint64_t last_resort_ = 0;
};

}  // namespace

Result prekeys(const Common& common, const PrekeysOptions& options) {
    Crew crew(common);
    // As many for each worker as its share of the fetches needs.
    const auto most_fetches = (options.fetches + crew.size() - 1) / crew.size();
    const auto targets = (most_fetches + fetches_a_target - 1) / fetches_a_target * crew.size();
    const auto identities = enrol(crew, targets, Needs::prekeys);
    std::vector<std::unique_ptr<Fetches>> parts;
    for (std::size_t i = 0; i < crew.size(); ++i) {
        const auto share = crew.share(i, options.fetches);
        parts.push_back(
            std::make_unique<Fetches>(crew.worker(i), identities.at(i), targets + share.first, share.count));
    }
    const auto parallel = std::max(common.parallel / crew.size(), std::size_t{1});
    crew.each([&](std::size_t i) { parts.at(i)->connect(parallel); });
    crew.hold(quiet_time);

    Result result;
    result.job = "prekeys";
    const Meter meter(common);
    crew.each([&](std::size_t i) { parts.at(i)->run(parallel); });
    meter.end(result);
    std::uint64_t last_resort = 0;
    for (const auto& part : parts) {
        result.count += part->done();
        result.lost += part->lost();
        result.duplicated += part->duplicated();
        last_resort += part->last_resort();
        result.times.merge(part->times);
    }
    result.more["targets"] = targets;
    result.more["last_resort"] =
        last_resort;  // no one-time prekey was left, or the target's limit was reached
    crew.collect(result);
    return result;
}

}  // namespace sotto::loadgen
