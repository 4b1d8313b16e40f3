// Creating an account: a state machine of one connection, used before there is an engine.
#pragma once

#include "sotto/client/engine.hpp"

namespace sotto::client {

struct NewAccount {
    protocol::Endpoint server;
    std::string user;
    std::string invite;  ///< registration invite, empty in open mode
    bool accept_unbound = false;
};

/// Drives one identified connection: Hello → keys and record → Register (or Login, if an earlier try got
/// through) → first prekeys and tokens. Until the server's name is known nothing is written; from then on the
/// same keys are used again.
class Registration {
  public:
    Registration(NewAccount account, crypto::Rng& rng);
    ~Registration();
    Registration(const Registration&) = delete;
    Registration& operator=(const Registration&) = delete;

    struct Step {
        Output output;
        /// Set once, when Hello has come: make vault and store for this account key, then call `stored`.
        std::optional<crypto::Address> needs_store;
        bool finished = false;
        std::optional<Error> failed;
    };
    [[nodiscard]] Step start(std::int64_t now);
    [[nodiscard]] Step handle(NetworkEvent event, std::int64_t now);
    [[nodiscard]] Step tick(std::int64_t now);
    /// The store is open and empty (or holds an identity that isn't registered yet).
    [[nodiscard]] Step stored(storage::ClientStore& store, const crypto::AccountKeyPair& account_key,
                              std::int64_t now);

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace sotto::client
