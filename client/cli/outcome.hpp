// How a verb ends: well, or with an exit code and a sentence.
#pragma once

#include "sotto/client/error.hpp"

namespace sotto::cli {

using client::Error;
using client::Exit;
template <class T>
using Result = client::Result<T>;
using Outcome = client::Result<void>;

[[nodiscard]] inline std::unexpected<Error> refuse(Exit exit, std::string sentence) {
    return std::unexpected(Error{.exit = exit, .sentence = std::move(sentence)});
}
/// The sentence has been said already.
[[nodiscard]] inline std::unexpected<Error> end_with(Exit exit) {
    return std::unexpected(Error{.exit = exit, .sentence = {}});
}
/// The user's input.
[[nodiscard]] inline std::unexpected<Error> refuse(std::string sentence) {
    return refuse(Exit::input, std::move(sentence));
}
[[nodiscard]] inline std::unexpected<Error> refuse(const storage::Error& error) {
    return std::unexpected(client::describe(error));
}
/// Passes a failed result's error on.
template <class T>
[[nodiscard]] std::unexpected<Error> pass_on(Result<T>& failed) {
    return std::unexpected(std::move(failed.error()));
}

}  // namespace sotto::cli
