// A conversation as a list of steps, each of them sealing or opening. docs/protocol.md section 14.
#pragma once

#include "steps.hpp"
#include "world.hpp"

namespace sotto::vectors {

/// `given`: `begin` (both session records), `now_ms`, `steps`. Every step in turn, then both records.
[[nodiscard]] Json play(Json& given, const World& world);
void check_conversation(const Json& given, const Json& derived);

/// Steps for a script. Messages are numbered from 0 in the order in which they are sealed.
[[nodiscard]] Json seals(const char* by, const char* content, std::uint32_t later_ms = 0);
[[nodiscard]] Json opens(const char* by, std::uint32_t message);
[[nodiscard]] Json refuses(const char* by, std::uint32_t message, std::size_t at, const char* with);

}  // namespace sotto::vectors
