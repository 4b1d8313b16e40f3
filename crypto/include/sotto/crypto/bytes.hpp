// Byte strings as the whole project passes them around.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sotto {

template <std::size_t N>
using Array = std::array<std::byte, N>;
using Bytes = std::vector<std::byte>;
using ByteView = std::span<const std::byte>;
template <std::size_t N>
using FixedView = std::span<const std::byte, N>;

/// The bytes of a string, without a copy; valid as long as the string's buffer is.
[[nodiscard]] inline ByteView bytes_of(std::string_view text) {
    return std::as_bytes(std::span{text.data(), text.size()});
}

/// The same bytes seen as characters, without a copy and without any check of their encoding.
[[nodiscard]] inline std::string_view chars_of(ByteView bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Copies `from` to the front of `to`, which is as long or longer; they may overlap. (std::ranges::copy of
/// GCC 12 goes byte by byte wherever the source is const.)
inline void copy_bytes(ByteView from, std::span<std::byte> to) {
    if (!from.empty()) std::memmove(to.first(from.size()).data(), from.data(), from.size());
}

[[nodiscard]] inline Bytes to_bytes(ByteView bytes) {
    return {bytes.begin(), bytes.end()};
}

}  // namespace sotto
