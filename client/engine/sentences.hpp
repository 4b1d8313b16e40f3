// What went wrong, as an exit code and one sentence that says what to do. Never a key, never what was said.
#pragma once

#include "say.hpp"
#include "sotto/client/error.hpp"
#include "sotto/client/transport.hpp"
#include "wire.hpp"

namespace sotto::client {

/// `host:port`, with brackets around an IPv6 address.
[[nodiscard]] std::string text_of(const protocol::Endpoint& endpoint);

[[nodiscard]] Error no_such_contact();

/// A connection that couldn't be made or ended.
[[nodiscard]] Error describe(NetworkError error, const protocol::Endpoint& endpoint);

/// The server's refusal of a log-in or of what follows it.
[[nodiscard]] Error describe_login_failure(wire::FailureCode code, const protocol::Endpoint& endpoint);

/// The server's refusal of a registration.
[[nodiscard]] Error describe_registration_failure(wire::FailureCode code, std::string_view user,
                                                  const protocol::Endpoint& endpoint);

/// A contact's server refused a fetch or a delivery for `name`. `invited`: by the link that we used.
[[nodiscard]] Error describe_delivery_failure(wire::FailureCode code, std::string_view name, bool invited);

/// A link carries no more messages before it is answered.
[[nodiscard]] Error not_answered_yet(std::string_view name);
/// Their shared token was replaced, and the new one hasn't come.
[[nodiscard]] Error waits_for_tokens(std::string_view name);

/// Our own profile turned out to be an older copy of itself; or a contact's did.
[[nodiscard]] Error copy_of_itself();
[[nodiscard]] Error was_restored(std::string_view name);

}  // namespace sotto::client
