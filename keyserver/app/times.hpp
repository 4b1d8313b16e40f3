// Points in time as people and scripts read them; all are UTC.
#pragma once

#include <cstdint>
#include <string>

namespace sotto::keyserver {

[[nodiscard]] std::uint64_t now_s();
[[nodiscard]] std::string iso_utc(std::uint64_t seconds);      ///< 2026-11-23T17:05:00Z
[[nodiscard]] std::string compact_utc(std::uint64_t seconds);  ///< 20261123-170500
[[nodiscard]] std::string day_utc(std::uint32_t days);         ///< 2026-11-23, days since 1970

}  // namespace sotto::keyserver
