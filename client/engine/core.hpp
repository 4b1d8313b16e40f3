// What the engine's parts stand on together: the store, who we are, the sessions in memory, the connections.
#pragma once

#include "connections.hpp"
#include "say.hpp"
#include "sessions.hpp"
#include "store_failure.hpp"

namespace sotto::client {

struct Core {
    storage::ClientStore& store;
    Shell shell;
    Connections connections{shell};
    storage::Identity identity;
    crypto::AccountRecord record;  ///< our newest
    SessionBook sessions;
    bool sending = false;       ///< between start_sending() (or start()) and stop()
    bool tokens_stale = false;  ///< the token table may have changed

    [[nodiscard]] protocol::Endpoint own_endpoint() const {
        return {identity.server_host, identity.server_port, identity.server_pin};
    }
};

}  // namespace sotto::client
