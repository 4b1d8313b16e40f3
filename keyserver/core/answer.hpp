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

template <class T>
using Answer = std::expected<T, Refusal>;

[[nodiscard]] inline std::unexpected<Refusal> refuse(wire::FailureCode code,
                                                     std::uint32_t retry_after_ms = 0) {
    return std::unexpected(Refusal{.code = code, .retry_after_ms = retry_after_ms});
}

}  // namespace sotto::keyserver
