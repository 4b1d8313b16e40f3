#include <array>
#include <chrono>

#include "sotto/storage/vault.hpp"

namespace sotto::storage {

crypto::PassphraseCost calibrate() {
    using Clock = std::chrono::steady_clock;
    constexpr std::uint32_t mib = 1024;
    constexpr crypto::PassphraseCost least{.memory_kib = 64 * mib, .passes = 3};
    constexpr crypto::PassphraseCost sample{.memory_kib = 64 * mib, .passes = 1};
    constexpr std::chrono::duration<double> wanted{1.0};

    const auto begin = Clock::now();
    if (!crypto::stretch(bytes_of("how fast is this machine"), Array<16>{}, sample)) return least;
    const std::chrono::duration<double> one_pass = Clock::now() - begin;
    // Time grows with memory times passes.
    for (const std::uint32_t memory : {256 * mib, 192 * mib, 128 * mib, 96 * mib})
        if (one_pass * least.passes * (static_cast<double>(memory) / sample.memory_kib) <= wanted)
            return {.memory_kib = memory, .passes = least.passes};
    return least;
}

}  // namespace sotto::storage
