#include "bench/crypto/ends.hpp"
#include "bench/crypto/jobs.hpp"

namespace sotto::bench {
namespace {

constexpr std::size_t skipped = crypto::max_kept_keys;

/// A burst of 1,001 messages, of which the last one is delivered first.
struct Reversed {
    End receiver;
    std::vector<Bytes> envelopes;
};

const Reversed& reversed() {
    static const Reversed all = [] {
        auto pair = acquainted();
        Reversed out{std::move(pair.bob), {}};
        // The chain is known to the receiver, and begins anew for the count.
        out.receiver.open(pair.alice.seal(content()));
        for (std::size_t i = 0; i <= skipped; ++i) out.envelopes.push_back(pair.alice.seal(content()));
        return out;
    }();
    return all;
}

/// With the newest message 1,000 keys are derived and stored.
void newest(benchmark::State& state) {
    const auto& start = reversed();
    for ([[maybe_unused]] auto _ : state) {
        auto end = start.receiver.copy();
        benchmark::DoNotOptimize(end.open(start.envelopes.back()));
        if (end.keys().size() != skipped) throw std::runtime_error("the keys were not kept");
    }
}

/// Each of the others, again from newest to oldest, finds its key and deletes it.
void each_later(benchmark::State& state) {
    const auto& start = reversed();
    auto opened = start.receiver.copy();
    opened.open(start.envelopes.back());
    auto end = opened.copy();
    std::size_t left = skipped;
    for ([[maybe_unused]] auto _ : state) {
        if (left == 0) {
            state.PauseTiming();
            end = opened.copy();
            left = skipped;
            state.ResumeTiming();
        }
        benchmark::DoNotOptimize(end.open(start.envelopes.at(--left)));
    }
}

}  // namespace

void add_late(Jobs& jobs) {
    jobs.add({"newest of 1,001 first: 1,000 keys derived and kept", 1500.0,
              "1,000 BLAKE2b steps, a message opened"},
             newest, [](Bare& b) {
                 for (std::size_t i = 0; i < skipped; ++i) b.chain_step();
                 b.open_message();
             });
    jobs.add({"newest first: each later one", 3.0, "SipHash, header, BLAKE2b for key and commitment, body"},
             each_later, [](Bare& b) {
                 b.hint();
                 b.open_header();
                 b.body_keys();
                 b.compare_commitment();
                 b.open_body(body_size);
             });
}

}  // namespace sotto::bench
