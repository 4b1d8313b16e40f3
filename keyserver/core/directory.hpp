// Records and prekeys as they are fetched and published. docs/protocol.md sections 12.3 and 12.4.
#pragma once

#include "keyserver/core/answer.hpp"
#include "keyserver/core/bucket.hpp"
#include "keyserver/core/limits.hpp"
#include "keyserver/core/stores.hpp"
#include "sotto/crypto/prekeys.hpp"

namespace sotto::keyserver {

struct RecordPage {
    std::vector<Bytes> records;
    bool more = false;
};

/// `from` 0: only the newest.
[[nodiscard]] RecordPage fetch_records(Stores& stores, AccountId account, std::uint64_t from);

/// A publication whose shape, limits and signatures have been checked.
struct CheckedPrekeys {
    std::optional<crypto::SignedPrekey> signed_prekey;
    std::optional<Bytes> last_resort;
    std::vector<OneTimeRow> one_time;
    std::vector<OneTimeRow> one_time_kem;
    bool replace = false;  ///< the one-time prekeys held so far go
};

/// Everything about a publication that needs no store.
[[nodiscard]] Answer<CheckedPrekeys> check_prekeys(const wire::PublishPrekeys& request, std::uint32_t device,
                                                   const crypto::DeviceSigningKey& signer,
                                                   std::uint32_t today);

/// Refused where the signed prekey names a record that this server doesn't hold, or is older than the
/// published one.
[[nodiscard]] Answer<void> publish_prekeys(Stores& stores, DeviceKey key, const CheckedPrekeys& prekeys);

struct Bundle {
    Bytes record;
    Bytes signed_prekey;
    Bytes kem_prekey;
    Bytes one_time;            ///< empty: none
    bool last_resort = false;  ///< the KEM prekey is
    std::uint32_t one_time_left = 0;
    std::uint32_t one_time_kem_left = 0;
};

/// Hands out one-time prekeys once each; limited per target, beyond which only the last-resort key is served.
class PrekeyCounter {
  public:
    PrekeyCounter(const Clock& clock, const Limits& limits);
    void retune(const Limits& limits);
    [[nodiscard]] Answer<Bundle> fetch(Stores& stores, DeviceKey key, bool by_credential);

  private:
    const Clock* clock_;
    Buckets<DeviceKey, DeviceKeyHash> open_;
    Buckets<DeviceKey, DeviceKeyHash> credential_;
};

}  // namespace sotto::keyserver
