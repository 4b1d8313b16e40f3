// What a rule answers: a value, or the failure that the client is told.
#pragma once

#include <cstdint>
#include <expected>

#include "sotto/wire.pb.h"

namespace sotto::keyserver {

struct Refusal {
    wire::FailureCode code = wire::FAILURE_INTERNAL;
    std::uint32_t retry_after_ms = 0;
    bool operator==(const Refusal&) const = default;
};

inline constexpr Refusal malformed{.code = wire::FAILURE_MALFORMED};
/// The store failed: nothing was changed, and trying again may help.
inline constexpr Refusal store_failed{.code = wire::FAILURE_INTERNAL, .retry_after_ms = 5000};

template <class T>
using Answer = std::expected<T, Refusal>;

[[nodiscard]] inline std::unexpected<Refusal> refuse(wire::FailureCode code,
                                                     std::uint32_t retry_after_ms = 0) {
    return std::unexpected(Refusal{.code = code, .retry_after_ms = retry_after_ms});
}

}  // namespace sotto::keyserver
