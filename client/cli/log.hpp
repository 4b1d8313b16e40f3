// What --verbose says: connections and the sizes of frames, never a secret, a name or a plaintext.
#pragma once

#include "sotto/client/runner.hpp"

namespace sotto::cli {

void start_log(bool verbose);
void log_event(const client::NetworkEvent& event);
void log_action(const client::Action& action);
void log_direct_event(const client::DirectEvent& event);

}  // namespace sotto::cli
