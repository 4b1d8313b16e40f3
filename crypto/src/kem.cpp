#include "sodium.hpp"
#include "sotto/crypto/keys.hpp"

namespace sotto::crypto {
namespace {

static_assert(kem_public_key_size == crypto_kem_mlkem768_PUBLICKEYBYTES);
static_assert(kem_ciphertext_size == crypto_kem_mlkem768_CIPHERTEXTBYTES);

constexpr std::size_t coefficients_size = 1152;  ///< 768 coefficients of 12 bits, before the 32-byte seed
constexpr unsigned modulus = 3329;
constexpr auto type_byte = std::byte{static_cast<std::uint8_t>(KeyType::mlkem768)};

/// FIPS 203 section 7.2: every coefficient is reduced. libsodium asks this only when it encapsulates; a
/// record of what a server handed out should never hold a key that fails later.
bool reduced(FixedView<kem_public_key_size> key) {
    for (std::size_t i = 0; i < coefficients_size; i += 3) {
        const auto a = std::to_integer<unsigned>(key[i]);
        const auto b = std::to_integer<unsigned>(key[i + 1]);
        const auto c = std::to_integer<unsigned>(key[i + 2]);
        if ((a | ((b & 0x0fU) << 8U)) >= modulus || ((b >> 4U) | (c << 4U)) >= modulus) return false;
    }
    return true;
}

}  // namespace

Result<KemPublicKey> KemPublicKey::decode(ByteView encoded) {
    if (encoded.size() != encoded_kem_key_size || encoded[0] != type_byte)
        return std::unexpected(Error::bad_key);
    const FixedView<kem_public_key_size> raw{encoded.subspan(1)};
    if (!reduced(raw)) return std::unexpected(Error::bad_key);
    KemPublicKey key;
    copy_bytes(raw, key.raw_);
    return key;
}

Array<encoded_kem_key_size> KemPublicKey::encode() const {
    Array<encoded_kem_key_size> out;
    out[0] = type_byte;
    copy_bytes(raw_, std::span{out}.subspan<1>());
    return out;
}

Result<KemPublicKey::Encapsulated> KemPublicKey::encapsulate(Rng& rng) const {
    start_sodium();
    struct RandomnessTag;
    const auto randomness = rng.secret<Secret<RandomnessTag, 32>>();
    Encapsulated out;
    if (crypto_kem_mlkem768_enc_deterministic(uc(out.ciphertext.data()), uc(out.shared.writable().data()),
                                              uc(raw_.data()), uc(randomness.expose().data())) != 0)
        return std::unexpected(Error::bad_key);
    return out;
}

KemDecapsulationKey::KemDecapsulationKey(const KemSeed& seed) {
    static_assert(crypto_kem_mlkem768_SECRETKEYBYTES == decltype(expanded_)::size);
    start_sodium();
    crypto_kem_mlkem768_seed_keypair(uc(public_.raw_.data()), uc(expanded_.writable().data()),
                                     uc(seed.expose().data()));
}

Result<KemSharedSecret> KemDecapsulationKey::decapsulate(FixedView<kem_ciphertext_size> ciphertext) const {
    KemSharedSecret shared;
    if (crypto_kem_mlkem768_dec(uc(shared.writable().data()), uc(ciphertext.data()),
                                uc(expanded_.expose().data())) != 0)
        return std::unexpected(Error::cannot_open);
    return shared;
}

KemKeyPair KemKeyPair::generate(Rng& rng) {
    return KemKeyPair{rng.secret<KemSeed>()};
}

KemKeyPair::KemKeyPair(KemSeed seed)
    : seed_(std::move(seed)), public_(KemDecapsulationKey{seed_}.public_key()) {}

Result<KemSharedSecret> KemKeyPair::decapsulate(FixedView<kem_ciphertext_size> ciphertext) const {
    return KemDecapsulationKey{seed_}.decapsulate(ciphertext);
}

}  // namespace sotto::crypto
