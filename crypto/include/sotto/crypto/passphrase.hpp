// From a passphrase to a key, and keys wrapped under it. Argon2id (RFC 9106), XChaCha20-Poly1305.
#pragma once

#include "sotto/crypto/error.hpp"
#include "sotto/crypto/hash.hpp"
#include "sotto/crypto/random.hpp"

namespace sotto::crypto {

struct PassphraseKeyTag;
using PassphraseKey = Secret<PassphraseKeyTag, 32>;
struct MasterKeyTag;
using MasterKey = Secret<MasterKeyTag, 32>;

struct PassphraseCost {
    std::uint32_t memory_kib = 256 * 1024;  ///< 8 MiB to 4 GiB
    std::uint32_t passes = 3;               ///< 1 to 64
    bool operator==(const PassphraseCost&) const = default;
};

inline constexpr std::size_t wrap_overhead = 24 + 16;  ///< nonce and tag

/// exhausted if the memory can't be had; malformed if the cost is out of its range.
[[nodiscard]] Result<PassphraseKey> stretch(ByteView passphrase, FixedView<16> salt,
                                            const PassphraseCost& cost);

/// nonce ‖ ciphertext ‖ tag under a key derived from `key` and `purpose`; `context` is authenticated with it.
[[nodiscard]] Bytes wrap(const PassphraseKey& key, Label purpose, ByteView context, ByteView secret,
                         Rng& rng);
[[nodiscard]] Result<SecretBytes> unwrap(const PassphraseKey& key, Label purpose, ByteView context,
                                         ByteView wrapped);

}  // namespace sotto::crypto
