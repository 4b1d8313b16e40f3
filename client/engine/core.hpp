// What the engine's parts stand on together: the store, who we are, the sessions in memory, the connections.
#pragma once

#include "connections.hpp"
#include "say.hpp"
#include "sessions.hpp"
#include "sotto/client/direct_transport.hpp"
#include "store_failure.hpp"

namespace sotto::client {

class DirectPaths;

struct Core {
    storage::ClientStore& store;
    Shell shell;
    Connections connections{shell};
    storage::Identity identity;
    crypto::AccountRecord record;  ///< our newest
    SessionBook sessions;
    bool sending = false;       ///< between start_sending() (or start()) and stop()
    bool unconfirmed = false;   ///< a log-in under way may yet tell that our store is an older copy
    bool tokens_stale = false;  ///< the token table may have changed
    bool retry_quarantine =
        false;                     ///< something has changed by which an envelope that was set aside may open
    std::uint64_t changes = 0;     ///< counts commits that moved a session
    bool rotation_untold = false;  ///< our shared token is new, and our server hasn't confirmed it yet
    bool telling = false;          ///< … but is about to: nobody is to learn the new one before it

    bool backlog = false;          ///< what is being taken in had waited in the mailbox
    DirectPaths* paths = nullptr;  ///< direct sessions
    bool wants_ice = false;        ///< what the server offers for direct sessions is of use
    // Without an initialiser a designated one that leaves it away is warned about.
    std::vector<IceServer> ice_servers = {};  // NOLINT(readability-redundant-member-init)

    [[nodiscard]] protocol::Endpoint own_endpoint() const {
        return {identity.server_host, identity.server_port, identity.server_pin};
    }
};

}  // namespace sotto::client
