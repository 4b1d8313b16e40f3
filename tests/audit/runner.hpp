// Which groups are run, and how.
#pragma once

#include "check.hpp"
#include "faults.hpp"
#include "wycheproof.hpp"

namespace sotto::audit {

struct RunOptions {
    std::vector<std::string> only;  ///< groups; empty: all
    VectorOptions vectors;
    bool inside_valgrind = false;  ///< this is the process that runs under Valgrind
};

[[nodiscard]] Report run_audit(const RunOptions& options);

/// Runs group constant-flow in a process of its own under Valgrind, with this fault beneath it, and adds what
/// it found; one skipped entry and its reason if that can't be done here.
void run_under_valgrind(Fault fault, Report& into);
/// What `valgrind --version` says; empty if there is none.
[[nodiscard]] std::string valgrind_version();

/// True if the program was built with a sanitizer, whose own memory keeps copies of everything.
[[nodiscard]] bool sanitized();

/// Breaks things on purpose, group by group; prints which fault turned what red. True if every group did.
[[nodiscard]] bool self_test(const RunOptions& options);

}  // namespace sotto::audit
