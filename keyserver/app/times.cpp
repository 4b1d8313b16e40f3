#include "keyserver/app/times.hpp"

#include <fmt/chrono.h>

#include <ctime>

namespace sotto::keyserver {

std::uint64_t now_s() {
    return static_cast<std::uint64_t>(std::time(nullptr));
}

std::string iso_utc(std::uint64_t seconds) {
    return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(static_cast<std::time_t>(seconds)));
}

std::string compact_utc(std::uint64_t seconds) {
    return fmt::format("{:%Y%m%d-%H%M%S}", fmt::gmtime(static_cast<std::time_t>(seconds)));
}

std::string day_utc(std::uint32_t days) {
    return fmt::format("{:%Y-%m-%d}", fmt::gmtime(static_cast<std::time_t>(days) * 86'400));
}

}  // namespace sotto::keyserver
