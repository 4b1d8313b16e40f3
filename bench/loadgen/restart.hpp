// The user's command that restarts the server, on a thread of its own while the clients go on.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <thread>

#include "bench/loadgen/options.hpp"

namespace sotto::loadgen {

class Restart {
  public:
    /// With an empty command it does nothing.
    explicit Restart(RestartOptions options);
    /// Waits for its end. The new server's process, which the last word that it printed has to be; nothing if
    /// there was no command. Throws Problem.
    [[nodiscard]] std::optional<pid_t> finish();

  private:
    void run();

    RestartOptions options_;
    std::string printed_;
    int status_ = 0;
    std::jthread thread_;
};

}  // namespace sotto::loadgen
