// One message sealed or opened, with everything that is computed on the way. docs/protocol.md sections 7
// and 8.
#pragma once

#include <map>

#include "sotto/crypto/session.hpp"
#include "state.hpp"
#include "values.hpp"

namespace sotto::vectors {

/// One end of a session with its kept keys.
struct End {
    crypto::Session session;
    std::map<std::pair<std::uint32_t, std::uint32_t>, crypto::MessageKey> keys;

    [[nodiscard]] const crypto::Session::State& state() const {
        return crypto::SessionAccess::state(session);
    }
    [[nodiscard]] std::string record() const { return hex(session.serialize()); }
    /// What opening changes.
    void take(crypto::Opened opened);
};

/// Seals `content`; `given.random` has the randomness. The result names each key on the way.
[[nodiscard]] Json seal_step(End& end, Json& given, ByteView content, std::int64_t now_ms,
                             crypto::Rng* fresh);

/// Opens an envelope, or says as which error it is refused. Every value comes from the internal functions
/// that `Session::open` is made of, and together they have to lead to the state that it returned.
[[nodiscard]] Json open_step(End& end, Json& given, ByteView envelope, std::int64_t now_ms,
                             crypto::Rng* fresh);

/// The same for what `accept` has opened: `before` is the responder's state as R4 leaves it.
[[nodiscard]] Json opened_first(const crypto::Session& before, const crypto::Session& after,
                                const Json& given, ByteView envelope, std::int64_t now_ms);

/// A root step (7.2): what goes in and what comes out.
[[nodiscard]] Json root_step(const crypto::Session::State& before, const crypto::Session::State& after,
                             std::uint32_t epoch, bool sending);

// ---- the definitions ----

void check_root_step(const Json& step, ByteView session_id);
void check_sealed(const Json& step, ByteView session_id, ByteView content);
void check_opened(const Json& step, const Json& sealed, ByteView session_id);

}  // namespace sotto::vectors
