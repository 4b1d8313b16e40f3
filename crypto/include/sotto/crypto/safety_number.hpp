// The 60-digit safety number: Signal's published numeric fingerprint (version 0, 5,200 iterations of SHA-512)
// over the two account keys and canonical addresses. docs/protocol.md section 10.
#pragma once

#include "sotto/crypto/record.hpp"

namespace sotto::crypto {

inline constexpr int safety_number_iterations = 5200;
inline constexpr std::size_t safety_number_digits = 60;

/// The same 60 digits on both sides; no separators.
[[nodiscard]] std::string safety_number(const AccountKey& own_key, const Address& own,
                                        const AccountKey& peer_key, const Address& peer);

}  // namespace sotto::crypto
