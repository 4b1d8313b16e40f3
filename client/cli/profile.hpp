// An opened profile: its folder locked, its store unlocked.
#pragma once

#include <string_view>

#include "options.hpp"
#include "outcome.hpp"
#include "sotto/storage/client_store.hpp"
#include "sotto/storage/profile.hpp"

namespace sotto::cli {

struct Profile {
    storage::ProfileLock lock;
    storage::ClientStore store;
    storage::Identity identity;
    crypto::AccountRecord record;  ///< our newest
};

/// The master key behind a passphrase.
[[nodiscard]] Result<crypto::MasterKey> open_vault(const storage::ProfilePaths& paths,
                                                   const crypto::SecretBytes& passphrase);

/// One that is registered. Asks for the passphrase. `in_chat` is what does the same in a running chat, which
/// holds the profile.
[[nodiscard]] Result<Profile> open_profile(const Options& options, std::string_view in_chat = {});

/// The cost that the options ask for, measured on this machine where they don't.
[[nodiscard]] crypto::PassphraseCost passphrase_cost(const Options& options);

/// By name, else by address.
[[nodiscard]] Result<storage::Contact> find_contact(storage::ClientStore& store, const std::string& which);

/// Of the pinned record's account key.
[[nodiscard]] Result<crypto::AccountKey> account_key_of(const storage::Contact& contact);

/// Confirmed, and known by more than the server's word.
[[nodiscard]] bool is_verified(const storage::Contact& contact);

}  // namespace sotto::cli
