// Why a job can't go on.
#pragma once

#include <cstdint>
#include <stdexcept>

namespace sotto::loadgen {

enum class Exit : std::uint8_t {
    done = 0,
    input = 1,   ///< the user's input
    bug = 2,     ///< ours
    server = 3,  ///< network or server; also messages lost or duplicated
};

/// One sentence for the user.
class Problem : public std::runtime_error {
  public:
    Problem(Exit exit, const std::string& sentence) : std::runtime_error(sentence), exit_(exit) {}
    [[nodiscard]] Exit exit() const { return exit_; }

  private:
    Exit exit_;
};

}  // namespace sotto::loadgen
