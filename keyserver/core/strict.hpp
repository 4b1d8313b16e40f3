// The generated parser of the schema passes over what it doesn't know. A request may hold nothing of that
// kind.
#pragma once

#include "sotto/crypto/bytes.hpp"

namespace sotto::keyserver {

/// True if the frame consists of fields of wire.proto's Request and of nothing else: no unknown field on any
/// level, no wrong wire type, no text that isn't UTF-8, no field twice that is there once. docs/protocol.md
/// section 12.2.
[[nodiscard]] bool only_request_fields(ByteView frame);

}  // namespace sotto::keyserver
