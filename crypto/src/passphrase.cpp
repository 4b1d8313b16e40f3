#include "sotto/crypto/passphrase.hpp"

#include "aead.hpp"
#include "sodium.hpp"

namespace sotto::crypto {
namespace {

constexpr std::uint32_t min_memory_kib = 8 * 1024;
constexpr std::uint32_t max_memory_kib = 4 * 1024 * 1024;
constexpr std::uint32_t max_passes = 64;
constexpr std::size_t stack_of_argon2 = 16UL * 1024;  ///< bytes; a few blocks of 1 KiB each

struct WrappingKeyTag;
using WrappingKey = Secret<WrappingKeyTag, 32>;

WrappingKey wrapping_key(const PassphraseKey& key, Label purpose) {
    WrappingKey out;
    mac(key.expose(), purpose, {}, out.writable());
    return out;
}

}  // namespace

Result<PassphraseKey> stretch(ByteView passphrase, FixedView<16> salt, const PassphraseCost& cost) {
    start_sodium();
    if (cost.memory_kib < min_memory_kib || cost.memory_kib > max_memory_kib || cost.passes < 1 ||
        cost.passes > max_passes)
        return std::unexpected(Error::malformed);
    const auto* const words = passphrase.empty() ? "" : reinterpret_cast<const char*>(passphrase.data());
    PassphraseKey key;
    const int failed = crypto_pwhash_argon2id(
        uc(key.writable().data()), PassphraseKey::size, words, passphrase.size(), uc(salt.data()),
        cost.passes, std::size_t{cost.memory_kib} * 1024, crypto_pwhash_argon2id_ALG_ARGON2ID13);
    // libsodium leaves its last hash state, and with it the key, in stack frames that are over.
    sodium_stackzero(stack_of_argon2);
    if (failed != 0) return std::unexpected(Error::exhausted);
    return key;
}

Bytes wrap(const PassphraseKey& key, Label purpose, ByteView context, ByteView secret, Rng& rng) {
    Bytes out(xnonce_size + secret.size() + tag_size);
    const auto nonce = std::span{out}.first<xnonce_size>();
    rng.fill(nonce);
    std::ranges::copy(secret, out.begin() + xnonce_size);
    xseal(wrapping_key(key, purpose).expose(), nonce, context, std::span{out}.subspan(xnonce_size));
    return out;
}

Result<SecretBytes> unwrap(const PassphraseKey& key, Label purpose, ByteView context, ByteView wrapped) {
    if (wrapped.size() < wrap_overhead) return std::unexpected(Error::cannot_open);
    SecretBytes out(wrapped.size() - wrap_overhead);
    if (!xopen(wrapping_key(key, purpose).expose(), wrapped.first<xnonce_size>(), context,
               wrapped.subspan(xnonce_size), out))
        return std::unexpected(Error::cannot_open);
    return out;
}

}  // namespace sotto::crypto
