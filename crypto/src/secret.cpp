#include "sotto/crypto/secret.hpp"

#include "sodium.hpp"

namespace sotto::crypto {

void wipe(void* data, std::size_t size) noexcept {
    if (size != 0) sodium_memzero(data, size);
}

bool equal_constant_time(ByteView a, ByteView b) noexcept {
    return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace sotto::crypto
