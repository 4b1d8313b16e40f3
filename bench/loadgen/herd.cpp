#include "bench/loadgen/herd.hpp"

#include <algorithm>

namespace sotto::loadgen {

Herd::Herd(Worker& worker, const Identities& accounts, std::size_t first) : worker_(worker) {
    for (const auto& account : accounts)
        peers_.push_back(std::make_unique<Peer>(worker, first++, account.get(), *this));
}

void Herd::log_in(std::size_t parallel) {
    Muster{worker_, parallel, &times}.run(all_of(peers_), Peer::As::login);
    together_ = true;
}

void Herd::come_back(bool yes) {
    for (const auto& peer : peers_) peer->come_back(yes);
}

std::size_t Herd::present() const {
    return static_cast<std::size_t>(
        std::ranges::count_if(peers_, [](const auto& peer) { return peer->ready(); }));
}

bool Herd::wait_for_return() {
    const auto expected = peers_.size() - refused;
    return run_while_it_moves(
        worker_, [&] { return back_ + refused >= expected; }, [&] { return std::uint64_t{back_ + refused}; });
}

void Herd::on_ready(Peer& peer) {
    if (!together_) return;
    returns.add(us_since(peer.since()));
    if (peer.losses() == 1) ++back_;
}

void Herd::on_lost(Peer& /*peer*/, const std::string& why) {
    worker_.note(why);
}

void Herd::on_refused(Peer& /*peer*/, const std::string& why) {
    worker_.note(why);
    ++refused;
}

}  // namespace sotto::loadgen
