#include "sotto/crypto/keys.hpp"

#include "primitives.hpp"
#include "sodium.hpp"

namespace sotto::crypto::detail {
namespace {

using Point = std::array<std::uint8_t, 32>;

// The canonical u-coordinates of points of order 1, 2, 4 and 8 on Curve25519 and its twist.
constexpr std::array<Point, 5> low_order{{
    {},
    {0x01},
    {0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a,
     0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00},
    {0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef, 0x5b,
     0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57},
    {0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
}};

/// Little-endian value below 2^255 − 19, which also means that the highest bit is clear.
bool canonical_field_element(const Point& p) {
    if (p[31] != 0x7f) return p[31] < 0x7f;
    for (std::size_t i = 30; i > 0; --i)
        if (p[i] != 0xff) return true;
    return p[0] < 0xed;
}

Bytes labelled(Label label, ByteView message) {
    Bytes out;
    out.reserve(label.size() + 1 + message.size());
    const auto text = bytes_of(label);
    out.insert(out.end(), text.begin(), text.end());
    out.push_back(std::byte{0});
    out.insert(out.end(), message.begin(), message.end());
    return out;
}

}  // namespace

bool valid_ed25519(FixedView<32> key) {
    start_sodium();
    return crypto_core_ed25519_is_valid_point(uc(key.data())) == 1;
}

bool valid_x25519(FixedView<32> key) {
    Point point;
    for (std::size_t i = 0; i < point.size(); ++i) point[i] = std::to_integer<std::uint8_t>(key[i]);
    return canonical_field_element(point) && std::ranges::find(low_order, point) == low_order.end();
}

bool verify(FixedView<32> key, Label label, ByteView message, FixedView<64> signature) {
    return ed25519_verify_raw(key, labelled(label, message), signature);
}

void ed25519_public(FixedView<32> seed, std::span<std::byte, 32> out) {
    start_sodium();
    struct ExpandedTag;
    Secret<ExpandedTag, crypto_sign_ed25519_SECRETKEYBYTES> expanded;
    crypto_sign_ed25519_seed_keypair(uc(out.data()), uc(expanded.writable().data()), uc(seed.data()));
}

Signature ed25519_sign(FixedView<32> seed, FixedView<32> public_key, Label label, ByteView message) {
    return ed25519_sign_raw(seed, public_key, labelled(label, message));
}

void x25519_public(FixedView<32> secret, std::span<std::byte, 32> out) {
    start_sodium();
    crypto_scalarmult_curve25519_base(uc(out.data()), uc(secret.data()));
}

bool x25519(FixedView<32> secret, FixedView<32> public_key, std::span<std::byte, 32> out) {
    start_sodium();
    return crypto_scalarmult_curve25519(uc(out.data()), uc(secret.data()), uc(public_key.data())) == 0;
}

}  // namespace sotto::crypto::detail

namespace sotto::crypto {

bool ed25519_verify_raw(FixedView<32> key, ByteView message, FixedView<64> signature) {
    start_sodium();
    return crypto_sign_ed25519_verify_detached(uc(signature.data()), uc(message.data()), message.size(),
                                               uc(key.data())) == 0;
}

Signature ed25519_sign_raw(FixedView<32> seed, FixedView<32> public_key, ByteView message) {
    start_sodium();
    struct ExpandedTag;
    Secret<ExpandedTag, crypto_sign_ed25519_SECRETKEYBYTES> expanded;
    std::ranges::copy(seed, expanded.writable().begin());
    std::ranges::copy(public_key, expanded.writable().begin() + 32);
    Signature signature;
    crypto_sign_ed25519_detached(uc(signature.data()), nullptr, uc(message.data()), message.size(),
                                 uc(expanded.expose().data()));
    return signature;
}

}  // namespace sotto::crypto
