// What ends a command: one sentence for the person, and the exit code (0 done, 1 input, 2 a bug, 3 network or
// server).
#pragma once

#include <cstdint>
#include <expected>
#include <string>

namespace sotto::keyserver {

enum class Exit : std::uint8_t { done = 0, input = 1, bug = 2, server = 3 };

struct Problem {
    Exit exit = Exit::input;
    std::string sentence;
};

template <class T>
using Outcome = std::expected<T, Problem>;

[[nodiscard]] inline std::unexpected<Problem> problem(Exit exit, std::string sentence) {
    return std::unexpected(Problem{.exit = exit, .sentence = std::move(sentence)});
}

}  // namespace sotto::keyserver
