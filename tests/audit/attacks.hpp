// The attacks that need no network, by their number.
#pragma once

#include "check.hpp"

namespace sotto::audit {

// on keys and the handshake: attacks_keys.cpp, attacks_handshake.cpp
void attack_weak_keys(Check& check);               // 1
void attack_misbinding(Check& check);              // 2
void attack_key_compromise(Check& check);          // 3
void attack_key_confusion(Check& check);           // 4
void attack_post_quantum_downgrade(Check& check);  // 5
void attack_old_data(Check& check);                // 9
void attack_servers_prekeys(Check& check);         // 36
// with the client's engine and the server's rules on a simulated network: attacks_world.cpp
void attack_replayed_handshake(Check& check);    // 6
void attack_prekey_drain(Check& check);          // 7
void attack_forged_first_message(Check& check);  // 8
void attack_duplicates(Check& check);            // 11
void attack_restored_copy(Check& check);         // 12, the second half
void attack_lying_server(Check& check);          // 13
void attack_resync_storm(Check& check);          // 14
void attack_crossing(Check& check);              // 15
void attack_reordering(Check& check);            // 16
void attack_claimed_name(Check& check);          // 35
// on the ratchet: attacks_ratchet.cpp
void attack_skipped_keys(Check& check);    // 10
void attack_rollback(Check& check);        // 12
void attack_two_keys(Check& check);        // 17
void attack_truncated_tags(Check& check);  // 18
void attack_compromise(Check& check);      // 19
// on tokens: attacks_tokens.cpp
void attack_token_rotation(Check& check);  // 37
// on parsers and programs: attacks_parsers.cpp
void attack_parsers(Check& check);       // 20
void attack_terminal(Check& check);      // 21
void attack_paths(Check& check);         // 22
void attack_secrets_left(Check& check);  // 23
void attack_timing(Check& check);        // 24

}  // namespace sotto::audit
