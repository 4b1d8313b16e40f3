// libsodium called bare: primitives that Sotto's own functions use in another shape, or that vectors exist
// for and Sotto doesn't call at all.
#pragma once

#include <optional>
#include <string>

#include "sotto/crypto/bytes.hpp"

namespace sotto::audit::bare {

void start();
[[nodiscard]] std::string sodium_version();
/// What this processor offers and libsodium asks for, as words.
[[nodiscard]] std::string processor_features();

[[nodiscard]] Bytes hmac_sha256(ByteView key, ByteView message);
[[nodiscard]] Bytes hmac_sha512(ByteView key, ByteView message);
/// RFC 5869; nothing if more is asked for than HKDF gives.
[[nodiscard]] std::optional<Bytes> hkdf_sha256(ByteView salt, ByteView input, ByteView info,
                                               std::size_t size);
[[nodiscard]] Bytes blake2b(ByteView key, ByteView message, std::size_t size);
[[nodiscard]] Array<8> siphash24(FixedView<16> key, ByteView message);
[[nodiscard]] Array<64> sha512(ByteView message);
/// RFC 8439's key stream under a zero nonce, from block 0 on.
[[nodiscard]] Bytes chacha20_stream(FixedView<32> key, std::size_t size);
/// The sum of two points of Ed25519, whatever their order; nothing if one is no point.
[[nodiscard]] std::optional<Array<32>> ed25519_add(FixedView<32> a, FixedView<32> b);

struct XWingSent {
    Bytes ciphertext;
    Array<32> shared{};
};
[[nodiscard]] Bytes xwing_public_key(FixedView<32> seed);
[[nodiscard]] XWingSent xwing_encapsulate(ByteView public_key, FixedView<64> randomness);
[[nodiscard]] Array<32> xwing_decapsulate(FixedView<32> seed, ByteView ciphertext);

/// ML-KEM-768's expanded decapsulation key, as FIPS 203 writes it.
[[nodiscard]] Bytes mlkem_secret_key(FixedView<64> seed);

/// An endless stream of SHAKE-128 over what was put in.
class Shake128 {
  public:
    Shake128();
    void put(ByteView bytes);
    [[nodiscard]] Bytes take(std::size_t size);

  private:
    alignas(16) Array<256> state_{};
};

}  // namespace sotto::audit::bare
