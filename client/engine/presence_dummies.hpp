// Contacts that there aren't, published for and watched along with those that there are, so that the server
// can't count them. They change with the day as those do, and are the same again after a restart.
// docs/protocol.md section 15.3, C4.
#pragma once

#include "core.hpp"
#include "sotto/crypto/presence.hpp"

namespace sotto::client {

/// So many days ago it may still be yesterday by the clock of some server.
inline constexpr std::uint32_t presence_days_kept = 4;

/// Those of one day.
class PresenceDummies {
  public:
    explicit PresenceDummies(crypto::PresenceKey day_seed) : seed_(std::move(day_seed)) {}

    /// `place`: as for crypto::presence_dummy_key().
    [[nodiscard]] crypto::PresenceKey key(std::string_view place, std::size_t index) const;
    [[nodiscard]] crypto::PresenceWriteSecret write_secret() const;
    /// With so many dummies, so many contacts are a power of two, and at least 8.
    [[nodiscard]] static std::size_t wanted_beside(std::size_t contacts);

  private:
    crypto::PresenceKey seed_;
};

/// What they are made from, kept in the store; older days' can't be made from it again.
class PresenceDummySeed {
  public:
    explicit PresenceDummySeed(storage::ClientStore& store) : store_(&store) {}

    /// Reads it, brings it forward to `presence_days_kept` before today, draws another one where there is
    /// none of use. Throws StoreFailure.
    void prepare(std::uint32_t today, crypto::Rng& rng);
    [[nodiscard]] std::optional<PresenceDummies> on(std::uint32_t which) const;

  private:
    void read();
    void write();

    storage::ClientStore* store_;
    std::optional<crypto::PresenceKey> key_;
    std::uint32_t day_ = 0;
};

}  // namespace sotto::client
