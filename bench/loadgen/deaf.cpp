#include "bench/loadgen/deaf.hpp"

namespace sotto::loadgen {
namespace {

constexpr std::chrono::milliseconds between_questions{100};
constexpr std::size_t most_unsent = 64UL * 1024;  // from there on the server doesn't read, either
constexpr std::size_t longest_ping = 125;
constexpr std::size_t one_in = 4;  // is a request, of which there may be 1,000 a second
/// What the kernel takes at the server, what the server holds, and then its patience: 30 s.
constexpr std::chrono::seconds deaf_stay{120};

}  // namespace

Deaf::Deaf(Worker& worker, std::size_t number, const Identity* self, double per_second, Ended ended)
    : worker_(worker),
      ended_(std::move(ended)),
      pings_(per_second),
      timer_(worker.loop()),
      patience_(worker.loop()),
      peer_(worker, number, self, *this) {
    peer_.come_back(false);
    peer_.open(self == nullptr ? Peer::As::delivery : Peer::As::login);
    patience_.set(Clock::now() + deaf_stay, [this] { end(Fate::outlasted); });
}

void Deaf::end(Fate fate) {
    if (std::exchange(over_, true)) return;
    timer_.cancel();
    patience_.cancel();
    ended_(*this, fate);
}

void Deaf::on_ready(Peer& peer) {
    begun_ = true;
    peer.deafen();
    ask();
}

void Deaf::ask() {
    timer_.set(Clock::now() + between_questions, [this] { ask(); });
    const auto due = pings_.take(std::chrono::duration<double>(between_questions).count());
    for (std::size_t i = 0; i < due && peer_.unsent() < most_unsent; ++i) {
        if (i % one_in != 0) {
            peer_.ping(std::string(longest_ping, 'p'));
        } else {
            worker_.request.mutable_ping();
            peer_.send(worker_.request);
        }
    }
}

void Deaf::on_lost(Peer& /*peer*/, const std::string& /*why*/) {
    end(begun_ ? Fate::closed : Fate::refused);
}

void Deaf::on_refused(Peer& /*peer*/, const std::string& /*why*/) {
    end(Fate::refused);
}

}  // namespace sotto::loadgen
