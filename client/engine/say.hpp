// Sentences with gaps: `say("{} is full", name)`. The library that GCC 12 brings has no std::format yet.
#pragma once

#include <array>
#include <concepts>
#include <string>
#include <string_view>

namespace sotto::client {

namespace detail {
inline std::string text(std::string_view value) {
    return std::string{value};
}
inline std::string text(std::integral auto value) {
    return std::to_string(value);
}
}  // namespace detail

/// Each `{}` gives way to the next value; values stand as they are.
template <class... Values>
[[nodiscard]] std::string say(std::string_view sentence, const Values&... values) {
    const std::array<std::string, sizeof...(Values)> texts{detail::text(values)...};
    std::string out;
    std::size_t next = 0;
    for (std::size_t at = 0; at < sentence.size(); ++at) {
        if (next < texts.size() && sentence.substr(at, 2) == "{}") {
            out += texts[next++];
            ++at;
        } else {
            out += sentence[at];
        }
    }
    return out;
}

}  // namespace sotto::client
