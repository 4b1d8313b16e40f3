// What logged-in clients are told of STUN and TURN servers: RFC 7064 and 7065 URIs, and passwords for a
// while.
#pragma once

#include <string_view>

#include "keyserver/app/problem.hpp"
#include "keyserver/core/policy.hpp"
#include "sotto/crypto/secret.hpp"

namespace sotto::keyserver {

/// `stun:host[:port]`, `turn:host[:port][?transport=udp|tcp]`. Nothing is resolved.
[[nodiscard]] Outcome<IceServer> parse_ice_server(std::string_view uri);

/// base64(HMAC-SHA-1(secret, username)), as coturn's `use-auth-secret` has it
/// (draft-uberti-behave-turn-rest-00).
[[nodiscard]] std::string turn_password(ByteView secret, std::string_view username);

}  // namespace sotto::keyserver
