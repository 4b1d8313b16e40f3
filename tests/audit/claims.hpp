// The claims of threat-model.md, which is part of the program, and what speaks for each.
#pragma once

#include "report.hpp"

namespace sotto::audit {

struct Claim {
    std::string adversary;           ///< the section that it stands in
    std::string text;                ///< without the names of tests
    std::vector<std::string> tests;  ///< `Suite.Name`, of the project's test suite
};

/// Each *cannot*, in the order of the document.
[[nodiscard]] std::vector<Claim> claims();

/// The entries of a report that show one of the claim's tests to hold.
[[nodiscard]] std::vector<const Entry*> evidence_for(const Claim& claim, const Report& report);

}  // namespace sotto::audit
