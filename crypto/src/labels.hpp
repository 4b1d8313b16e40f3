// Every label of crypto/, in the order of docs/protocol.md.
#pragma once

#include "sotto/crypto/hash.hpp"

namespace sotto::crypto::labels {

// section 4
inline constexpr Label account_succession = "Sotto/1/account-succession";
inline constexpr Label account_record = "Sotto/1/account-record";
inline constexpr Label record_hash = "Sotto/1/record-hash";
// section 5
inline constexpr Label signed_prekey = "Sotto/1/signed-prekey";
inline constexpr Label kem_prekey = "Sotto/1/kem-prekey";
// section 6
inline constexpr Label session_id = "Sotto/1/session-id";
inline constexpr Label handshake_part = "Sotto/1/handshake-part";
inline constexpr Label handshake_identity = "Sotto/1/handshake-identity";
inline constexpr Label root = "Sotto/1/root";
inline constexpr Label handshake_replay = "Sotto/1/handshake-replay";
inline constexpr Label invite_mac_key = "Sotto/1/invite-mac-key";
inline constexpr Label invite_mac = "Sotto/1/invite-mac";
// section 7
inline constexpr Label ratchet_root = "Sotto/1/ratchet-root";
inline constexpr Label chain = "Sotto/1/chain";
inline constexpr Label header_hint = "Sotto/1/header-hint";
inline constexpr Label epoch_key = "Sotto/1/epoch-key";
// section 8
inline constexpr Label message = "Sotto/1/message";
inline constexpr Label attachment = "Sotto/1/attachment";
// section 9
inline constexpr Label invite_id = "Sotto/1/invite-id";
inline constexpr Label invite_token = "Sotto/1/invite-token";
inline constexpr Label token = "Sotto/1/token";
inline constexpr Label account_fingerprint = "Sotto/1/account-fingerprint";
// section 11
inline constexpr Label login = "Sotto/1/login";
inline constexpr Label login_unbound = "Sotto/1/login-unbound";
inline constexpr Label registration = "Sotto/1/register";
inline constexpr Label registration_unbound = "Sotto/1/register-unbound";
// section 15
inline constexpr Label presence_next_day = "Sotto/1/presence-next-day";
inline constexpr Label presence_topic = "Sotto/1/presence-topic";
inline constexpr Label presence_write = "Sotto/1/presence-write";
inline constexpr Label presence_blob = "Sotto/1/presence-blob";
inline constexpr Label presence_dummy = "Sotto/1/presence-dummy";
// section 16
inline constexpr Label direct = "Sotto/1/direct";
inline constexpr Label direct_open = "Sotto/1/direct-open";
inline constexpr Label direct_answer = "Sotto/1/direct-answer";
inline constexpr Label direct_stream = "Sotto/1/direct-stream";

}  // namespace sotto::crypto::labels
