// Vectors of the Wycheproof format, from a folder that is not part of Sotto.
#pragma once

#include <filesystem>

#include "report.hpp"

namespace sotto::audit {

struct VectorOptions {
    std::filesystem::path wycheproof;  ///< folder; empty: none
    std::filesystem::path xwing;       ///< file; empty: none
    bool any_version = false;          ///< take files that are not the copies known here
    bool alter = false;                ///< of a self-test: one bit of one vector of each file
};

/// One entry a file that is known, and one for those that are not; the files with their counts.
void run_vectors(const VectorOptions& options, Report& into);

}  // namespace sotto::audit
