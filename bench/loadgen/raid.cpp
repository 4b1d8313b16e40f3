#include "bench/loadgen/raid.hpp"

#include <algorithm>

#include "bench/loadgen/net/upgrade.hpp"
#include "sotto/protocol/limits.hpp"

namespace sotto::loadgen {
namespace {

constexpr std::chrono::milliseconds pace_step{10};
/// The numbers of those who flood, and of the others: far above those of honest clients.
constexpr std::size_t first_flooder = 10'000'000;
constexpr std::size_t first_other = 11'000'000;

[[nodiscard]] bool floods(Mischief kind) {
    return kind == Mischief::hello || kind == Mischief::handshake;
}

[[nodiscard]] double rate_of(Mischief kind, const HostileOptions& options) {
    switch (kind) {
        case Mischief::hello:
            return options.hellos;
        case Mischief::handshake:
            return options.handshakes;
        case Mischief::slow_handshake:
        case Mischief::slow_upgrade:
        case Mischief::slow_frame:
            return options.slow;
        case Mischief::deaf_device:
        case Mischief::deaf_sender:
            return options.deaf;
        case Mischief::oversized:
            return options.oversized;
        case Mischief::truncated:
            return options.truncated;
        case Mischief::random_tcp:
        case Mischief::random_tls:
        case Mischief::random_websocket:
            return options.random;
    }
    return 0;
}

}  // namespace

Raid::Raid(Worker& worker, const HostileOptions& options, const Identities& devices)
    : worker_(worker), options_(options), devices_(devices), pace_(worker.loop()) {
    const auto& to = worker.destination();
    good_ = {.hello = client_hello(to.tls),
             .upgrade = upgrade_request(to.host, protocol::delivery_target, upgrade_key(worker.rng()))};
    for (std::size_t i = 0; i < mischief_kinds; ++i) {
        const auto mischief = static_cast<Mischief>(i);
        kinds_.push_back({.mischief = mischief, .allowance = Allowance{rate_of(mischief, options)}});
    }
}

void Raid::run(const std::function<bool()>& done) {
    before_ = Clock::now();
    keep_pace();
    while (!worker_.loop().run(done, Clock::now() + pace_step)) {
    }
    pace_.cancel();
}

void Raid::keep_pace() {
    gone_.clear();
    const auto now = Clock::now();
    const auto passed = std::chrono::duration<double>(now - std::exchange(before_, now)).count();
    for (auto& kind : kinds_) {
        for (auto due = kind.allowance.take(passed); due > 0; --due) {
            if (open() < options_.most_open)
                start(kind);
            else
                ++kind.put_off;
        }
    }
    most_open_ = std::max(most_open_, open());
    pace_.set(now + pace_step, [this] { keep_pace(); });
}

/// Whose address it has, as Worker::source counts them.
std::size_t Raid::number_of(const Kind& kind) const {
    const auto turn = static_cast<std::size_t>(kind.attempted);
    const auto address = floods(kind.mischief) ? first_flooder + turn % options_.flood_addresses
                                               : first_other + turn % options_.addresses;
    return address * worker_.common().per_address;
}

void Raid::start(Kind& kind) {
    const auto number = number_of(kind);
    const auto turn = kind.attempted++;
    if (kind.mischief == Mischief::deaf_device || kind.mischief == Mischief::deaf_sender)
        return start_deaf(kind, number);
    auto raider = std::make_unique<Raider>(worker_.loop(), worker_.destination(), worker_.source(number),
                                           plan_of(kind.mischief, turn, good_, worker_.rng()),
                                           [this, &kind](Raider& self, Fate fate) {
                                               ++kind.ended.at(static_cast<std::size_t>(fate));
                                               auto found = raiders_.extract(&self);
                                               worker_.loop().bury(std::move(found.mapped()));
                                           });
    const auto* const key = raider.get();
    raiders_.emplace(key, std::move(raider));
}

void Raid::start_deaf(Kind& kind, std::size_t number) {
    const auto* const self = kind.mischief == Mischief::deaf_device
                                 ? devices_.at(kind.attempted % devices_.size()).get()
                                 : nullptr;
    auto deaf =
        std::make_unique<Deaf>(worker_, number, self, options_.pings, [this, &kind](Deaf& it, Fate fate) {
            ++kind.ended.at(static_cast<std::size_t>(fate));
            auto found = deaf_.extract(&it);
            gone_.push_back(std::move(found.mapped()));
        });
    const auto* const key = deaf.get();
    deaf_.emplace(key, std::move(deaf));
}

nlohmann::ordered_json Raid::counts() const {
    auto all = nlohmann::ordered_json::object();
    for (const auto& kind : kinds_) {
        const auto ended = [&kind](Fate fate) { return kind.ended.at(static_cast<std::size_t>(fate)); };
        auto open = kind.attempted;
        for (const auto count : kind.ended) open -= count;
        all[std::string{name_of(kind.mischief)}] = {{"attempted", kind.attempted},
                                                    {"refused", ended(Fate::refused)},
                                                    {"closed_by_server", ended(Fate::closed)},
                                                    {"left", ended(Fate::left)},
                                                    {"outlasted", ended(Fate::outlasted)},
                                                    {"failed", ended(Fate::failed)},
                                                    {"open", open},
                                                    {"put_off", kind.put_off}};
    }
    return all;
}

}  // namespace sotto::loadgen
