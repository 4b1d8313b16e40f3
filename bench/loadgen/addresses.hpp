// Where clients come from. An address has some 28,000 ports, and a server counts strangers by address: the
// clients are spread over 127.0.0.0/8, all of which is this machine.
#pragma once

#include <cstddef>
#include <cstdint>

namespace sotto::loadgen {

inline constexpr std::size_t most_addresses = 254UL * 256 * 254;

/// 127.x.y.z of the client with this number, in host order, `per_address` (from 1) clients sharing each. x is
/// never 0, so that nothing meets what listens on 127.0.0.0/16; z is neither 0 nor 255. After
/// `most_addresses` it begins anew.
[[nodiscard]] std::uint32_t source_address(std::size_t client, std::size_t per_address);

/// True for 127.0.0.0/8, in host order: only there may a client choose where it comes from.
[[nodiscard]] constexpr bool is_loopback(std::uint32_t address) {
    return address >> 24U == 127;
}

}  // namespace sotto::loadgen
