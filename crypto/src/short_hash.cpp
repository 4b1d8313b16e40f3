#include "sotto/crypto/short_hash.hpp"

#include <bit>

#include "sodium.hpp"

namespace sotto::crypto {

std::uint64_t short_hash(const ShortHashKey& key, ByteView data) noexcept {
    static_assert(crypto_shorthash_siphash24_KEYBYTES == 16 && crypto_shorthash_siphash24_BYTES == 8);
    Array<8> out{};
    crypto_shorthash_siphash24(uc(out.data()), uc(data.data()), data.size(), uc(key.data()));
    return std::bit_cast<std::uint64_t>(out);
}

}  // namespace sotto::crypto
