// Small helpers for checks that compare with published vectors.
#pragma once

#include "check.hpp"
#include "sotto/crypto/keys.hpp"

namespace sotto::audit {

/// A vector's bytes as a view of fixed length; throws if the vector is of another length.
template <std::size_t N>
[[nodiscard]] FixedView<N> fixed(const Bytes& bytes) {
    if (bytes.size() != N) throw std::runtime_error("a vector has another length than its kind");
    return FixedView<N>{bytes};
}

/// Type byte and raw key, as encoded keys travel.
[[nodiscard]] inline Bytes encoded(crypto::KeyType type, ByteView raw) {
    Bytes out(1 + raw.size());
    out[0] = std::byte{static_cast<std::uint8_t>(type)};
    std::ranges::copy(raw, out.begin() + 1);
    return out;
}

[[nodiscard]] inline Bytes joined(ByteView a, ByteView b) {
    auto out = to_bytes(a);
    out.insert(out.end(), b.begin(), b.end());
    return out;
}

[[nodiscard]] inline Bytes repeated(std::size_t count, unsigned value) {
    Bytes out;
    out.resize(count, static_cast<std::byte>(value));
    return out;
}

}  // namespace sotto::audit
