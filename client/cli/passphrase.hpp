// Where a passphrase comes from: a file, a descriptor or the terminal, never an argument or the environment.
#pragma once

#include "options.hpp"
#include "outcome.hpp"
#include "sotto/crypto/secret.hpp"

namespace sotto::cli {

enum class Ask : std::uint8_t {
    once,   ///< of an existing profile
    twice,  ///< a new one
};

/// `what` is how a prompt calls it: "Passphrase". One line feed at the end of a file or descriptor is
/// dropped. 1 to 1,024 bytes.
[[nodiscard]] Result<crypto::SecretBytes> read_passphrase(const PassphraseSource& source,
                                                          const std::string& what, Ask ask);

}  // namespace sotto::cli
