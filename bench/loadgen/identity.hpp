// An account with one device, as real as a person's: keys of its own, a signed record, a delivery token,
// prekeys.
#pragma once

#include <sotto/wire.pb.h>

#include <string>

#include "sotto/crypto/invite.hpp"
#include "sotto/crypto/login.hpp"
#include "sotto/crypto/record.hpp"

namespace sotto::loadgen {

/// Days since 1970.
[[nodiscard]] std::uint32_t today();

class Identity {
  public:
    static constexpr std::uint32_t device = 1;

    /// Fresh keys. `user` must be a valid name.
    Identity(const std::string& user, const std::string& server_name, crypto::Rng& rng);

    [[nodiscard]] const std::string& user() const { return record_.body().address.user; }
    [[nodiscard]] const crypto::AccountRecord& record() const { return record_; }
    /// What a sender shows.
    [[nodiscard]] const crypto::Token& token() const { return token_; }

    /// The proof for this nonce and exporter; without an exporter for an unbound server.
    [[nodiscard]] crypto::Signature prove(crypto::LoginPurpose purpose, FixedView<32> nonce,
                                          const std::optional<Array<32>>& exporter) const;
    /// A table with the one shared token.
    void fill(wire::SetTokens& request) const;
    /// A signed prekey, a last-resort one, and a whole batch of both one-time kinds, numbered from 1. The
    /// secrets are thrown away: nobody opens what is sealed to these.
    void fill(wire::PublishPrekeys& request, crypto::Rng& rng) const;

  private:
    Identity(const std::string& user, const std::string& server_name, const crypto::AccountKeyPair& account,
             crypto::Rng& rng);

    crypto::DeviceSigningKeyPair signing_;
    crypto::AccountRecord record_;
    crypto::Token token_;
};

}  // namespace sotto::loadgen
