// Small bridges between protobuf's strings and our fixed arrays.
#pragma once

#include <optional>
#include <string>

#include "sotto/content.pb.h"
#include "sotto/crypto/bytes.hpp"
#include "sotto/wire.pb.h"

namespace sotto::client {

[[nodiscard]] inline std::string to_field(ByteView bytes) {
    return std::string{chars_of(bytes)};
}

/// The field as N bytes, if that is its size.
template <std::size_t N>
[[nodiscard]] std::optional<Array<N>> from_field(const std::string& field) {
    if (field.size() != N) return std::nullopt;
    Array<N> out;
    const auto bytes = bytes_of(field);
    std::copy(bytes.begin(), bytes.end(), out.begin());
    return out;
}

[[nodiscard]] inline Bytes encode(const google::protobuf::MessageLite& message) {
    Bytes out(message.ByteSizeLong());
    message.SerializeToArray(out.data(), static_cast<int>(out.size()));
    return out;
}

}  // namespace sotto::client
