#include <algorithm>

#include "bench/loadgen/muster.hpp"
#include "bench/loadgen/problem.hpp"
#include "sotto/crypto/codec.hpp"

namespace sotto::loadgen {
namespace {

/// Registers the accounts of one worker, each on a connection of its own that goes when all is set up.
class Enrolment final : public Peer::Owner {
  public:
    Enrolment(Crew& crew, std::size_t i, std::size_t total, Needs needs, std::string prefix)
        : crew_(crew),
          worker_(crew.worker(i)),
          share_(crew.share(i, total)),
          needs_(needs),
          prefix_(std::move(prefix)) {}

    [[nodiscard]] Identities run() {
        const auto parallel = std::max<std::size_t>(worker_.common().parallel / crew_.size(), 1);
        for (std::size_t i = 0; i < parallel; ++i) next();
        const bool done = run_while_it_moves(
            worker_, [this] { return left_ == share_.count || !refused_.empty(); },
            [this] { return std::uint64_t{left_}; });
        if (!refused_.empty()) throw Problem(Exit::server, "An account could not be made: " + refused_ + ".");
        if (!done)
            throw Problem(Exit::server,
                          "Accounts can't be made any more; the last reason was: " + why_ + ".");
        return std::move(identities_);
    }

  private:
    struct Member {
        Member(Worker& worker, std::size_t number, const Identity& self, Owner& owner)
            : peer(worker, number, &self, owner), retry(worker.loop()) {}
        Peer peer;
        Timer retry;
        unsigned done = 0;  ///< requests of its setting-up that were answered
    };

    void next() {
        if (identities_.size() == share_.count) return;
        const auto number = share_.first + identities_.size();
        identities_.push_back(std::make_unique<Identity>(prefix_ + std::to_string(number),
                                                         crew_.greeting().server_name, worker_.rng()));
        members_.push_back(std::make_unique<Member>(worker_, number, *identities_.back(), *this));
        const auto& invites = worker_.common().invites;
        members_.back()->peer.open(Peer::As::registration, number < invites.size() ? invites.at(number) : "");
    }

    [[nodiscard]] Member& member(const Peer& peer) { return *members_.at(peer.number() - share_.first); }

    void set_up(Peer& peer) {
        wire::Request request;
        const auto done = member(peer).done;
        if (done == 0 && needs_ != Needs::nothing)
            peer.self().fill(*request.mutable_set_tokens());
        else if (done <= 1 && needs_ == Needs::prekeys)
            peer.self().fill(*request.mutable_publish_prekeys(), worker_.rng());
        else
            return peer.leave();
        peer.send(request);
    }

    void on_ready(Peer& peer) override { set_up(peer); }
    void on_reply(Peer& peer, const wire::Reply& reply) override {
        if (reply.body_case() == wire::Reply::kDone) {
            ++member(peer).done;
            return set_up(peer);
        }
        if (reply.body_case() != wire::Reply::kFailure) return;
        const auto& failure = reply.failure();
        if (!passes(failure.code())) {
            refused_ = name_of(failure.code());
            return;
        }
        why_ = name_of(failure.code());
        member(peer).retry.set(Clock::now() + std::chrono::milliseconds{failure.retry_after_ms()},
                               [this, &peer] {
                                   if (peer.ready()) set_up(peer);
                               });
    }
    void on_lost(Peer& /*peer*/, const std::string& why) override {
        why_ = why;
        worker_.note(why);
    }
    void on_refused(Peer& /*peer*/, const std::string& why) override { refused_ = why; }
    void on_left(Peer& /*peer*/) override {
        ++left_;
        next();
    }

    Crew& crew_;
    Worker& worker_;
    Crew::Share share_;
    Needs needs_;
    std::string prefix_;
    Identities identities_;
    std::vector<std::unique_ptr<Member>> members_;
    std::size_t left_ = 0;
    std::string why_ = "none";
    std::string refused_;
};

}  // namespace

std::vector<Identities> enrol(Crew& crew, std::size_t total, Needs needs) {
    const auto& greeting = crew.greeting();
    if (greeting.registration == wire::REGISTRATION_CLOSED)
        throw Problem(Exit::input, "The server takes no registrations: set registration to \"open\".");
    if (greeting.registration == wire::REGISTRATION_INVITE && crew.common().invites.size() < total)
        throw Problem(Exit::input, "The server asks for an invite for each of " + std::to_string(total) +
                                       " accounts: set registration to \"open\", or give them by --invites.");
    // Names of this run alone: the server may have seen others.
    const auto prefix = "load-" + crypto::to_hex(crew.worker(0).rng().bytes<4>()) + "-";
    std::vector<Identities> all(crew.size());
    crew.each([&](std::size_t i) { all.at(i) = Enrolment{crew, i, total, needs, prefix}.run(); });
    return all;
}

}  // namespace sotto::loadgen
