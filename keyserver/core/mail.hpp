// The rules of the mailbox: who has one, how much fits, how long it is kept. docs/protocol.md section 12.5.
#pragma once

#include "keyserver/core/limits.hpp"
#include "keyserver/core/stores.hpp"

namespace sotto::keyserver {

enum class Stored : std::uint8_t {
    stored,     ///< now, or it waits there already
    full,       ///< over the quota
    no_device,  ///< there is none of this id, or it was removed
};

[[nodiscard]] Stored store_envelope(Stores& stores, DeviceKey key, const EnvelopeId& id,
                                    std::string_view envelope, std::uint64_t now_s, const Limits& limits);

/// Removes a bounded number of envelopes past their lifetime or of deleted accounts, and registration invites
/// past theirs; true if more are left.
[[nodiscard]] bool remove_expired(Stores& stores, std::uint64_t now_s, const Limits& limits);

}  // namespace sotto::keyserver
