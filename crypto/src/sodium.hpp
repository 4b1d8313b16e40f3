// The one door to libsodium. Included by the sources of crypto/ alone.
#pragma once

#include <sodium.h>

#include "sotto/crypto/bytes.hpp"

namespace sotto::crypto {

/// Starts libsodium once, whichever thread comes first; throws std::runtime_error if it can't be started.
void start_sodium();

inline unsigned char* uc(std::byte* p) {
    return reinterpret_cast<unsigned char*>(p);
}
inline const unsigned char* uc(const std::byte* p) {
    return reinterpret_cast<const unsigned char*>(p);
}

}  // namespace sotto::crypto
