// The networks that this machine is on.
#pragma once

#include <cstdint>
#include <vector>

#include "sotto/crypto/bytes.hpp"

namespace sotto::client::paths {

struct Network {
    Bytes address;  ///< ours: 4 or 16 bytes
    std::uint32_t prefix = 0;
    bool loopback = false;
};

/// Of interfaces that are up; without link-local addresses, which mean nothing elsewhere.
[[nodiscard]] std::vector<Network> networks();

/// This address is reached without a router.
[[nodiscard]] bool on_one_of(const std::vector<Network>& networks, ByteView address);

/// One host's address (4 or 16 bytes) that means the same everywhere: not link-local, of everybody, of
/// nobody, reserved or of the other family in disguise; this machine's own only with `loopback`.
[[nodiscard]] bool means_one_host(ByteView address, bool loopback);

}  // namespace sotto::client::paths
