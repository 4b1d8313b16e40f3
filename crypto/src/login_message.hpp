// What a login proof signs: a label and a layout. docs/protocol.md section 11.
#pragma once

#include "sotto/crypto/login.hpp"

namespace sotto::crypto {

[[nodiscard]] Label label_of(const LoginChallenge& challenge);

/// m, without the label.
[[nodiscard]] Bytes encode_login(const LoginChallenge& challenge);

}  // namespace sotto::crypto
