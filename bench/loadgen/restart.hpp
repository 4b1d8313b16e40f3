// The user's command that restarts the server, on a thread of its own while the clients go on.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <thread>

namespace sotto::loadgen {

class Restart {
  public:
    /// Runs `command` by the shell after `delay`.
    Restart(std::string command, std::chrono::milliseconds delay);
    /// Waits for its end. The new server's process, which the last word that it printed has to be; throws
    /// Problem.
    [[nodiscard]] pid_t finish();

  private:
    std::string printed_;
    int status_ = 0;
    std::jthread thread_;
};

}  // namespace sotto::loadgen
