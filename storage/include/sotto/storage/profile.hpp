// A profile folder: lock file, vault, database. One process owns it.
#pragma once

#include <filesystem>

#include "sotto/storage/database.hpp"
#include "sotto/storage/vault.hpp"

namespace sotto::storage {

/// Holds `<folder>/lock` (flock) until it goes; `in_use` if another process does.
class ProfileLock {
  public:
    /// A folder that is missing is created (0700), with those above it.
    [[nodiscard]] static Result<ProfileLock> acquire(const std::filesystem::path& folder);
    ProfileLock(ProfileLock&& other) noexcept;
    ProfileLock& operator=(ProfileLock&& other) noexcept;
    ProfileLock(const ProfileLock&) = delete;
    ProfileLock& operator=(const ProfileLock&) = delete;
    ~ProfileLock();

  private:
    explicit ProfileLock(int fd) : fd_(fd) {}
    int fd_ = -1;
};

/// Folder (0700), `vault` and `store.db` (0600). umask is not relied on.
struct ProfilePaths {
    std::filesystem::path folder;
    [[nodiscard]] std::filesystem::path vault() const { return folder / "vault"; }
    [[nodiscard]] std::filesystem::path database() const { return folder / "store.db"; }
    [[nodiscard]] bool exists() const;  ///< the vault or the database, so that neither is overwritten
};

/// The key of `store.db`, derived from the master key under Sotto/1/store-key.
[[nodiscard]] DatabaseKey store_key(const crypto::MasterKey& master);

}  // namespace sotto::storage
