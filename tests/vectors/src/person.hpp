// Somebody with one device and a prekey of each kind, from the secrets in people.json.
#pragma once

#include "sotto/crypto/session.hpp"
#include "values.hpp"

namespace sotto::vectors {

struct Person {
    explicit Person(const Json& given);

    [[nodiscard]] crypto::LocalDevice local() const { return {record, device, identity}; }
    /// Prekeys made on `day`; the KEM prekey is the one that the name of people.json says.
    [[nodiscard]] crypto::PrekeyBundle bundle(bool one_time, const std::string& kem) const;
    [[nodiscard]] crypto::ResponderKeys keys_for(const crypto::HandshakeHeader& header) const;
    [[nodiscard]] crypto::KemPrekey kem_prekey(crypto::KemPrekeyKind kind, std::uint32_t made_on) const;

    std::uint32_t device;
    std::uint32_t day;  ///< of record and prekeys
    crypto::AccountKeyPair account;
    crypto::DeviceSigningKeyPair signing;
    crypto::IdentityKeyPair identity;
    std::uint32_t signed_prekey_id;
    crypto::SignedPrekeyPair signed_prekey;
    std::uint32_t one_time_id;
    crypto::OneTimePrekeyPair one_time;
    std::uint32_t kem_one_time_id;
    crypto::KemKeyPair kem_one_time;
    std::uint32_t kem_last_id;
    crypto::KemKeyPair kem_last;
    crypto::AccountRecord record;
};

}  // namespace sotto::vectors
