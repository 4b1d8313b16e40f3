#include "bench/loadgen/muster.hpp"

#include <algorithm>

#include "bench/loadgen/problem.hpp"

namespace sotto::loadgen {

bool run_while_it_moves(Worker& worker, const std::function<bool()>& done,
                        const std::function<std::uint64_t()>& progress) {
    for (;;) {
        const auto before = progress();
        if (worker.loop().run(done, Clock::now() + worker.common().patience)) return true;
        if (progress() == before) return false;
    }
}

std::vector<Peer*> all_of(const Peers& peers) {
    std::vector<Peer*> all;
    all.reserve(peers.size());
    for (const auto& peer : peers) all.push_back(peer.get());
    return all;
}

// ---- muster ----

Muster::Muster(Worker& worker, std::size_t parallel, Histogram* times)
    : worker_(worker), parallel_(std::max<std::size_t>(parallel, 1)), times_(times) {}

void Muster::run(const std::vector<Peer*>& peers, Peer::As as) {
    waiting_.assign(peers.rbegin(), peers.rend());
    as_ = as;
    next();
    const bool done = run_while_it_moves(
        worker_, [this] { return coming_.empty() && waiting_.empty(); },
        [this] { return std::uint64_t{ready_ + refused_.size()}; });
    if (!done)
        throw Problem(Exit::server, std::to_string(coming_.size() + waiting_.size()) +
                                        " clients don't come up; the last reason was: " + why_ + ".");
}

void Muster::next() {
    while (coming_.size() < parallel_ && !waiting_.empty()) {
        auto& peer = *waiting_.back();
        waiting_.pop_back();
        coming_.emplace(&peer, &peer.belongs_to(*this));
        peer.open(as_);
    }
}

Peer::Owner& Muster::give_back(Peer& peer) {
    auto& owner = *coming_.at(&peer);
    coming_.erase(&peer);
    peer.belongs_to(owner);
    return owner;
}

void Muster::on_ready(Peer& peer) {
    if (times_ != nullptr) times_->add(us_since(peer.since()));
    ++ready_;
    give_back(peer).on_ready(peer);
    next();
}

void Muster::on_lost(Peer& /*peer*/, const std::string& why) {
    why_ = why;
    worker_.note(why);
}

void Muster::on_refused(Peer& peer, const std::string& why) {
    why_ = why;
    worker_.note(why);
    refused_.push_back(&peer);
    give_back(peer).on_refused(peer, why);
    next();
}

}  // namespace sotto::loadgen
