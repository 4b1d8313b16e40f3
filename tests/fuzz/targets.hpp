// What is fuzzed: every parser that takes bytes from outside, and a session driven by a list of events. A
// target looks for more than crashes: it throws when a promise is broken.
#pragma once

#include <span>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "sotto/crypto/bytes.hpp"

namespace sotto::fuzz {

struct Target {
    std::string_view name;
    void (*feed)(ByteView input);
    std::vector<Bytes> (*seeds)();  ///< a few small inputs that are taken
};

[[nodiscard]] std::span<const Target> targets();
[[nodiscard]] const Target* target_called(std::string_view name);

/// A promise; std::logic_error if it is broken.
inline void promise(bool kept, const char* what) {
    if (!kept) throw std::logic_error(what);
}

// session_events.cpp
void feed_session_events(ByteView input);
[[nodiscard]] std::vector<Bytes> session_event_seeds();

}  // namespace sotto::fuzz
