// What this version stores, kept for all later ones to open.
#pragma once

#include <filesystem>

#include "steps.hpp"

namespace sotto::vectors {

inline constexpr const char* frozen_passphrase = "all of this is test data";

/// Sessions of Alice and Bob in every stage, with envelopes that are on their way.
[[nodiscard]] Json frozen_states();

/// `state/format-<n>.json` and `store/schema-<n>/` below the folder, each unless it is there.
void freeze(const std::filesystem::path& folder);

/// One side of a frozen pair.
[[nodiscard]] End frozen_end(const Json& side);

}  // namespace sotto::vectors
