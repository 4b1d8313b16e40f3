// SipHash-2-4 (Aumasson, Bernstein, 2012): the hash of tables whose keys others choose. 8 bytes; no digest.
#pragma once

#include <cstdint>

#include "sotto/crypto/bytes.hpp"

namespace sotto::crypto {

/// 16 random bytes that whoever chooses the input doesn't know.
using ShortHashKey = Array<16>;

[[nodiscard]] std::uint64_t short_hash(const ShortHashKey& key, ByteView data) noexcept;

}  // namespace sotto::crypto
