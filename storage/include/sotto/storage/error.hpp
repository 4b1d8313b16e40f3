// What can go wrong with a store without being a bug.
#pragma once

#include <cstdint>
#include <expected>
#include <string>

namespace sotto::storage {

enum class Code : std::uint8_t {
    wrong_passphrase,  ///< the vault didn't open
    damaged,           ///< vault or database is corrupted
    missing,           ///< no store in this folder
    exists,            ///< there is one already
    in_use,            ///< another process holds the profile
    full,              ///< disk full: nothing of the transaction was written
    newer,             ///< written by a newer version
    denied,            ///< permissions
    conflict,          ///< a unique name or address is taken
    io,                ///< anything else the system said
};

struct Error {
    Code code = Code::io;
    std::string detail;  ///< for logs: never a secret, never plaintext
};

template <class T>
using Result = std::expected<T, Error>;

}  // namespace sotto::storage
