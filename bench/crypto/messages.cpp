#include <algorithm>

#include "bench/crypto/ends.hpp"
#include "bench/crypto/jobs.hpp"

namespace sotto::bench {
namespace {

constexpr std::size_t burst = 1000;

/// The session before the burst, whose chain both know. Alice's next messages carry nothing but their
/// content; after 20 messages it is Bob's turn to offer the key of the next epoch.
const Pair& before_burst(bool epoch_due) {
    static const Pair idle = [] {
        auto pair = acquainted();
        pair.bob.open(pair.alice.seal(content()));
        return pair;
    }();
    static const Pair due = [] {
        auto pair = acquainted();
        for (int i = 0; i < 10; ++i) pair.round_trip();
        return pair;
    }();
    return epoch_due ? due : idle;
}

void seal_burst(benchmark::State& state, bool epoch_due) {
    const auto& sender = epoch_due ? before_burst(true).bob : before_burst(false).alice;
    auto end = sender.copy();
    std::size_t sent = 0;
    for ([[maybe_unused]] auto _ : state) {
        if (sent++ % burst == 0) end = sender.copy();
        benchmark::DoNotOptimize(end.seal(content()));
    }
}

void open_burst(benchmark::State& state, bool epoch_due) {
    const auto& pair = before_burst(epoch_due);
    auto sender = (epoch_due ? pair.bob : pair.alice).copy();
    const auto& receiver = epoch_due ? pair.alice : pair.bob;
    std::vector<Bytes> envelopes(burst);
    std::ranges::generate(envelopes, [&] { return sender.seal(content()); });
    auto end = receiver.copy();
    std::size_t at = 0;
    for ([[maybe_unused]] auto _ : state) {
        if (at % burst == 0) end = receiver.copy();
        benchmark::DoNotOptimize(end.open(envelopes.at(at++ % burst)));
    }
}

/// What a client commits with each message.
void seal_and_serialize(benchmark::State& state) {
    const auto& sender = before_burst(false).alice;
    auto end = sender.copy();
    for ([[maybe_unused]] auto _ : state) {
        benchmark::DoNotOptimize(end.seal(content()));
        benchmark::DoNotOptimize(end.session().serialize());
    }
}

/// Each message answers the one before: sealed by one, opened by the other.
void ping_pong(benchmark::State& state) {
    auto pair = acquainted();
    bool alices_turn = true;
    const auto before = pair.bob.session().epoch();
    for ([[maybe_unused]] auto _ : state) {
        auto& from = alices_turn ? pair.alice : pair.bob;
        auto& to = alices_turn ? pair.bob : pair.alice;
        benchmark::DoNotOptimize(to.open(from.seal(content())));
        alices_turn = !alices_turn;
    }
    state.counters["epochs"] = pair.bob.session().epoch() - before;
}

/// How many messages of a ping-pong go by from one epoch to the next.
int messages_an_epoch() {
    constexpr std::uint32_t epochs = 10;
    auto pair = acquainted();
    int messages = 0;
    for (const auto end = pair.bob.session().epoch() + epochs; pair.bob.session().epoch() < end;
         messages += 2)
        pair.round_trip();
    return messages / static_cast<int>(epochs);
}

}  // namespace

void add_messages(Jobs& jobs) {
    constexpr auto within = "BLAKE2b step, salt, SipHash, header, BLAKE2b for key and commitment, body";
    jobs.add(
        {"burst: a message sealed", 3.0, within}, [](benchmark::State& s) { seal_burst(s, false); },
        [](Bare& b) { b.seal_message(); });
    jobs.add(
        {"burst: a message opened", 3.0, within}, [](benchmark::State& s) { open_burst(s, false); },
        [](Bare& b) { b.open_message(); });
    jobs.add(
        {"burst that begins an epoch: sealed", 3.0, std::string{within} + "; no epoch"},
        [](benchmark::State& s) { seal_burst(s, true); }, [](Bare& b) { b.seal_message(); });
    jobs.add(
        {"burst that begins an epoch: opened", 3.0, std::string{within} + "; no epoch"},
        [](benchmark::State& s) { open_burst(s, true); }, [](Bare& b) { b.open_message(); });
    jobs.add({"burst: sealed, and the state serialised", std::nullopt, within}, seal_and_serialize,
             [](Bare& b) { b.seal_message(); });

    const auto period = messages_an_epoch();
    jobs.add({"ping-pong: a message sealed and opened", 140.0,
              "message sealed and opened, 2 X25519, 1 key pair, 2 HKDF, and for each epoch of " +
                  std::to_string(period) +
                  " messages: ML-KEM key made, expanded again, encapsulation, "
                  "decapsulation"},
             ping_pong, [period, at = 0](Bare& b) mutable {
                 const bool offers = at % period == 0;
                 b.seal_message(offers ? epoch_body_size : body_size);
                 b.open_message(offers ? epoch_body_size : body_size);
                 b.turn();
                 if (offers) {
                     b.kem_key();
                     b.kem_key();
                     b.encapsulate();
                     b.decapsulate();
                 }
                 ++at;
             });
}

}  // namespace sotto::bench
