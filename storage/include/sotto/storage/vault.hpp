// The vault file: from a passphrase to the master key, and the account key apart from it.
//
//   u8 version = 1 | u32 memory KiB | u32 passes | [16] salt | [72] wrapped master key | [72] wrapped account
//   seed
//
// 169 bytes, integers big-endian; nothing else is in it. Each wrapped key is bound to all bytes before it,
// under its own purpose: Sotto/1/vault-master, Sotto/1/vault-account. Written to a temporary name, synced,
// renamed.
//
// A file of another size, version or cost range is `damaged`. A wrong passphrase and bytes that were changed
// can't be told apart: both are `wrong_passphrase`. Everything here is called with the profile's lock held.
#pragma once

#include <filesystem>

#include "sotto/crypto/keys.hpp"
#include "sotto/crypto/passphrase.hpp"
#include "sotto/storage/error.hpp"

namespace sotto::storage {

class Vault {
  public:
    /// Wraps a fresh master key and the given account key. `exists` if the file is there.
    [[nodiscard]] static Result<crypto::MasterKey> create(const std::filesystem::path& file,
                                                          ByteView passphrase,
                                                          const crypto::PassphraseCost& cost,
                                                          const crypto::AccountKeyPair& account,
                                                          crypto::Rng& rng);
    [[nodiscard]] static Result<crypto::MasterKey> open(const std::filesystem::path& file,
                                                        ByteView passphrase);
    /// The account key, needed only to change devices.
    [[nodiscard]] static Result<crypto::AccountKeyPair> account_key(const std::filesystem::path& file,
                                                                    ByteView passphrase);
    /// Same keys under a new passphrase; the old file stays until the new one is durable.
    [[nodiscard]] static Result<void> change(const std::filesystem::path& file, ByteView old_passphrase,
                                             ByteView new_passphrase, const crypto::PassphraseCost& cost,
                                             crypto::Rng& rng);
};

/// Memory and passes that take about a second here, at most the default of 256 MiB / 3 passes, never below 64
/// MiB / 3.
[[nodiscard]] crypto::PassphraseCost calibrate();

}  // namespace sotto::storage
