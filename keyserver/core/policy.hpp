// What the operator decided.
#pragma once

#include <string>

#include "keyserver/core/limits.hpp"
#include "keyserver/core/live.hpp"

namespace sotto::keyserver {

enum class Registration : std::uint8_t { closed = 0, invite = 1, open = 2 };

struct Policy {
    std::string server_name;
    Registration registration = Registration::invite;
    bool unbound = false;  ///< logins are not bound to the TLS connection
    // Without an initialiser a designated one that leaves it away is warned about.
    Limits limits = {};  // NOLINT(readability-redundant-member-init)
};

using LivePolicy = Live<Policy>;

}  // namespace sotto::keyserver
