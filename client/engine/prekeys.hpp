// Which prekeys have to be made and published. Secrets are committed before their public halves leave, and
// marked as published after the server's word; what a crash left between the two is published again.
// docs/protocol.md section 5.
#pragma once

#include "sotto/storage/client_store.hpp"
#include "wire.hpp"

namespace sotto::client {

/// Set while the one-time prekeys at the server are to be replaced: this store may lack their secrets.
inline constexpr std::string_view replace_prekeys_setting = "prekeys/replace";

/// What the server says that it holds.
struct ServerPrekeys {
    std::uint32_t one_time_left = 0;
    std::uint32_t one_time_kem_left = 0;
    std::uint32_t signed_prekey_day = 0;  ///< 0: none
    std::uint32_t one_time_highest = 0;   ///< ids up to here are passed over: published before
    std::uint32_t one_time_kem_highest = 0;
    bool replace = false;  ///< nothing of what it holds is to be relied on
};

/// One frame and the prekeys in it.
struct PrekeyFrame {
    wire::PublishPrekeys frame;
    std::vector<std::pair<storage::PrekeyKind, std::uint32_t>> ids;
};

/// Makes what is missing, in one transaction, and returns what is to be published. Throws StoreFailure.
[[nodiscard]] std::vector<PrekeyFrame> prepare_prekeys(storage::ClientStore& store, crypto::Rng& rng,
                                                       const storage::Identity& identity,
                                                       const crypto::AccountRecord& record,
                                                       std::uint32_t today, const ServerPrekeys& server);

/// The server has them. Throws StoreFailure.
void mark_published(storage::ClientStore& store, const PrekeyFrame& frame);

/// The pairs behind stored seeds.
[[nodiscard]] crypto::SignedPrekeyPair signed_prekey_of(const storage::StoredPrekey& stored);
[[nodiscard]] crypto::OneTimePrekeyPair one_time_prekey_of(const storage::StoredPrekey& stored);
[[nodiscard]] crypto::KemKeyPair kem_prekey_of(const storage::StoredPrekey& stored);

}  // namespace sotto::client
