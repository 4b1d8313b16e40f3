// The tables of a client's store, version by version.
#pragma once

#include <span>

#include "sotto/storage/database.hpp"

namespace sotto::storage::detail {

[[nodiscard]] std::span<const Migration> client_migrations();

}  // namespace sotto::storage::detail
