// What the operator decided.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "keyserver/core/limits.hpp"
#include "keyserver/core/live.hpp"

namespace sotto::keyserver {

enum class Registration : std::uint8_t { closed = 0, invite = 1, open = 2 };

/// A STUN or TURN server that clients are told of.
struct IceServer {
    enum class Kind : std::uint8_t { stun, turn_udp, turn_tcp };
    Kind kind = Kind::stun;
    std::string host;
    std::uint16_t port = 0;
    bool operator==(const IceServer&) const = default;
};

struct IceOffer {
    std::vector<IceServer> servers;
    std::uint32_t lifetime_s = 0;  ///< of a password
    /// What the TURN server takes from this user name.
    std::function<std::string(std::string_view username)> password;
};

struct Policy {
    std::string server_name;
    Registration registration = Registration::invite;
    bool unbound = false;  ///< logins are not bound to the TLS connection
    // Without an initialiser a designated one that leaves it away is warned about.
    Limits limits = {};                        // NOLINT(readability-redundant-member-init)
    std::shared_ptr<const IceOffer> ice = {};  // NOLINT(readability-redundant-member-init)
};

using LivePolicy = Live<Policy>;

}  // namespace sotto::keyserver
