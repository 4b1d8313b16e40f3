// From a TLS connection to a WebSocket: the one HTTP request, and its answer. What Beast needs for it is gone
// when it is over.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "keyserver/core/session.hpp"
#include "keyserver/net/tls_stream.hpp"

namespace sotto::keyserver {

struct Upgraded {
    Purpose purpose = Purpose::delivery;
    std::string rest;  ///< what came behind the request already
};

/// Calls `done` on the stream's thread, once: with nothing where the connection is over, because it asked for
/// something else, which is answered, or broke. `stream` lives at least as long as `done`; to give up, close
/// it.
void upgrade(TlsStream& stream, std::move_only_function<void(std::optional<Upgraded>)> done);

}  // namespace sotto::keyserver
