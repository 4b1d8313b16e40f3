// By which right we fetch from a contact's server and deliver to it.
#pragma once

#include "sotto/storage/client_store.hpp"
#include "wire.hpp"

namespace sotto::client {

enum class Right : std::uint8_t { none, shared, recovery, invite };

/// The shared token as soon as there is one, before that the link's own; the recovery token only if
/// `shared_refused`.
[[nodiscard]] inline Right right_for(const storage::Contact& contact, bool shared_refused) {
    if (contact.their_recovery_token && shared_refused) return Right::recovery;
    if (contact.their_shared_token) return Right::shared;
    if (contact.invite_secret && contact.invite_claim) return Right::invite;
    return Right::none;
}

/// With an invite's token goes the claim that was stored before its first use: who claims first is the only
/// user.
inline void fill(wire::Credential& out, const crypto::InviteSecret& secret, const Array<16>& claim) {
    out.set_token(to_field(crypto::invite_token(secret).expose()));
    out.set_claim(to_field(claim));
}

inline void fill(wire::Credential& out, const storage::Contact& contact, Right right) {
    if (right == Right::shared && contact.their_shared_token)
        out.set_token(to_field(*contact.their_shared_token));
    if (right == Right::recovery && contact.their_recovery_token)
        out.set_token(to_field(*contact.their_recovery_token));
    if (right == Right::invite && contact.invite_secret && contact.invite_claim)
        fill(out, crypto::InviteSecret{FixedView<32>{*contact.invite_secret}}, *contact.invite_claim);
}

}  // namespace sotto::client
