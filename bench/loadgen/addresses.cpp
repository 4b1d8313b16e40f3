#include "bench/loadgen/addresses.hpp"

namespace sotto::loadgen {

std::uint32_t source_address(std::size_t client, std::size_t per_address) {
    const auto n = static_cast<std::uint32_t>(client / per_address % most_addresses);
    const auto z = 1 + n % 254;
    const auto y = n / 254 % 256;
    const auto x = 1 + n / 254 / 256;
    return 127U << 24U | x << 16U | y << 8U | z;
}

}  // namespace sotto::loadgen
