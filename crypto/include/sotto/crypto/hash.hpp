// Hashes and key derivation, each under a label. docs/protocol.md section 3.
#pragma once

#include <initializer_list>

#include "sotto/crypto/bytes.hpp"
#include "sotto/crypto/secret.hpp"

namespace sotto::crypto {

/// Every label is `Sotto/1/<purpose>`; in an input it is followed by one zero byte.
using Label = std::string_view;

/// BLAKE2b-256(label ‖ 0 ‖ parts…). RFC 7693.
[[nodiscard]] Array<32> hash(Label label, std::initializer_list<ByteView> parts);

/// BLAKE2b-256(key, label ‖ 0 ‖ parts…); key of 16 to 64 bytes.
[[nodiscard]] Array<32> mac(ByteView key, Label label, std::initializer_list<ByteView> parts);

/// The same into 32 bytes of the caller's, for results that are secret themselves.
void mac(ByteView key, Label label, std::initializer_list<ByteView> parts, std::span<std::byte, 32> out);

/// BLAKE2b-512(key, label ‖ 0 ‖ parts…) into 64 secret bytes.
void mac64(ByteView key, Label label, std::initializer_list<ByteView> parts, std::span<std::byte, 64> out);

/// HKDF-SHA-512 (RFC 5869), extract with `salt`, then expand with info = label ‖ 0 ‖ info parts.
void hkdf(ByteView salt, std::initializer_list<ByteView> input, Label label,
          std::initializer_list<ByteView> info, std::span<std::byte> out);

/// SHA-256, for certificate pins only.
[[nodiscard]] Array<32> sha256(ByteView bytes);

}  // namespace sotto::crypto
