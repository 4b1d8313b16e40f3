#include "sotto/crypto/random.hpp"

#include <limits>
#include <stdexcept>

#include "sodium.hpp"

namespace sotto::crypto {

void start_sodium() {
    static const bool started = sodium_init() >= 0;
    if (!started) throw std::runtime_error("libsodium could not be started");
}

std::uint64_t Rng::below(std::uint64_t bound) {
    if (bound == 0) throw std::invalid_argument("Rng::below needs a bound over zero");
    // Values under `excess` are drawn again, so that every residue is left with the same number of values.
    const std::uint64_t excess = (std::numeric_limits<std::uint64_t>::max() - bound + 1) % bound;
    for (;;) {
        std::uint64_t value = 0;
        fill(std::as_writable_bytes(std::span{&value, 1}));
        if (value >= excess) return value % bound;
    }
}

SystemRng::SystemRng() {
    start_sodium();
}

void SystemRng::fill(std::span<std::byte> out) {
    if (!out.empty()) randombytes_buf(out.data(), out.size());
}

SeededRng::SeededRng(std::uint64_t seed) {
    start_sodium();
    for (std::size_t i = 0; i < sizeof seed; ++i) seed_[i] = static_cast<std::byte>(seed >> (8 * i));
}

void SeededRng::fill(std::span<std::byte> out) {
    Array<32> key = seed_;
    for (std::size_t i = 0; i < sizeof counter_; ++i)
        key[8 + i] = static_cast<std::byte>(counter_ >> (8 * i));
    ++counter_;
    if (!out.empty()) randombytes_buf_deterministic(out.data(), out.size(), uc(key.data()));
}

}  // namespace sotto::crypto
