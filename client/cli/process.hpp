// What this process may leave behind, and where its profile is by default.
#pragma once

#include <filesystem>

#include "outcome.hpp"

namespace sotto::cli {

/// No core dumps, no reading of its memory by other programs of the same user, files for their owner alone; a
/// reader that goes away is an error of writing, not a death.
void harden_process();

/// $SOTTO_HOME, else $XDG_DATA_HOME/sotto, else ~/.local/share/sotto.
[[nodiscard]] Result<std::filesystem::path> default_home();

}  // namespace sotto::cli
