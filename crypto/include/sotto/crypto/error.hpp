// What can go wrong in crypto/ without being a bug. A peer never learns more than "it could not be opened".
#pragma once

#include <cstdint>
#include <expected>
#include <string_view>

namespace sotto::crypto {

enum class Error : std::uint8_t {
    malformed,      ///< short, over-long or out of shape; trailing bytes; a field out of its range
    unsupported,    ///< a version or a critical extension that this version doesn't know
    bad_key,        ///< a public key that is not canonical, of low order, or of the wrong type
    bad_signature,  ///< a signature that doesn't verify
    stale,          ///< an older record or prekey than is acceptable
    mismatch,       ///< right in itself, but not what was pinned, asked for or promised
    cannot_open,    ///< the one answer to every failed decryption
    gap_too_large,  ///< an authenticated header skips more messages than are kept: the session is stuck
    duplicate,      ///< an authenticated header whose message key has been used: nothing to do
    too_large,      ///< content over the limit
    exhausted,      ///< a counter at its end, or memory for a password hash not to be had
};

/// A short English name of the error, for logs and tests.
[[nodiscard]] std::string_view name(Error error);

template <class T>
using Result = std::expected<T, Error>;

}  // namespace sotto::crypto
