// Half of a safety number, over any encoded key and name; apart from the typed interface so that Signal's own
// published vector can be checked.
#pragma once

#include <string>

#include "sotto/crypto/bytes.hpp"

namespace sotto::crypto {

/// 30 digits for one side.
[[nodiscard]] std::string numeric_fingerprint(ByteView encoded_key, ByteView identifier);
/// 60 digits: the two halves in lexical order.
[[nodiscard]] std::string join_fingerprints(const std::string& a, const std::string& b);

}  // namespace sotto::crypto
