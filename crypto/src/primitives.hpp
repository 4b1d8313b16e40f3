// The primitives without labels, so that third-party vectors can be checked against the very code that the
// labelled functions run. Nothing else in crypto/ calls them.
#pragma once

#include <initializer_list>

#include "sotto/crypto/keys.hpp"

namespace sotto::crypto {

/// RFC 5869 with SHA-512.
void hkdf_sha512(ByteView salt, std::initializer_list<ByteView> input, std::string_view info,
                 std::span<std::byte> out);

/// RFC 8032.
[[nodiscard]] Signature ed25519_sign_raw(FixedView<32> seed, FixedView<32> public_key, ByteView message);
[[nodiscard]] bool ed25519_verify_raw(FixedView<32> key, ByteView message, FixedView<64> signature);

}  // namespace sotto::crypto
