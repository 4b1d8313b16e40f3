// What a client's user is told: an exit code and one sentence that says what to do.
#pragma once

#include <expected>
#include <string>

#include "sotto/storage/error.hpp"

namespace sotto::client {

/// Part of the contract with scripts.
enum class Exit : int {  // NOLINT(performance-enum-size): what a process returns
    done = 0,
    input = 1,      ///< the user's input
    bug = 2,        ///< a bug of ours
    network = 3,    ///< network or server
    untrusted = 4,  ///< untrusted or changed key
    rate = 5,       ///< rate limit
};

struct Error {
    Exit exit = Exit::bug;
    std::string sentence;
};

template <class T>
using Result = std::expected<T, Error>;

/// The sentence for a store's error: damaged, full, wrong passphrase, in use …
[[nodiscard]] Error describe(const storage::Error& error);

}  // namespace sotto::client
