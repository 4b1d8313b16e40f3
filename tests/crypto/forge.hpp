// What a malicious peer could do: rewrite an envelope's header under the session's own header key, or a
// counter in a stored session. Offsets are those of docs/protocol.md 7.5 and 8.
#pragma once

#include <algorithm>

#include "aead.hpp"
#include "people.hpp"

namespace sotto::crypto::test {

namespace offset {
inline constexpr std::size_t epoch = 34;
inline constexpr std::size_t own_public = 102;
inline constexpr std::size_t peer_public = 135;
inline constexpr std::size_t sending_header = 168;
inline constexpr std::size_t sending_n = 264;
inline constexpr std::size_t receiving_number = 272;
inline constexpr std::size_t receiving_n = 372;
inline constexpr std::size_t receiving_kept = 376;
inline constexpr std::size_t receiving_kept_at = 380;
inline constexpr std::size_t closed_count = 388;
}  // namespace offset

inline void put(std::span<std::byte> bytes, std::size_t at, std::uint32_t value) {
    for (unsigned i = 0; i < 4; ++i) bytes[at + i] = static_cast<std::byte>(value >> (24 - 8 * i));
}

inline Session with(const Session& session, std::size_t at, std::uint32_t value) {
    auto bytes = session.serialize();
    put(bytes, at, value);
    return Session::parse(bytes).value();
}

/// Fields of a header's plaintext.
inline constexpr std::size_t field_key = 1;
inline constexpr std::size_t field_previous = 33;
inline constexpr std::size_t field_n = 37;
inline constexpr std::size_t field_epoch = 41;

/// Decrypts the header of an envelope (without handshake part) that `sender` has just sealed, changes it, and
/// encrypts it again.
template <class Change>
Bytes rewrite_header(const Session& sender, Bytes envelope, Change change) {
    const auto state = sender.serialize();
    const auto key = ByteView{state}.subspan<offset::sending_header, 32>();
    const auto all = std::span{envelope};
    const auto nonce = ByteView{envelope}.subspan<1, 24>();
    Array<45> plain;
    EXPECT_TRUE(xopen(key, nonce, all.first(1), all.subspan(25, 61), plain));
    change(std::span<std::byte>{plain});
    std::ranges::copy(plain, all.subspan(25, 45).begin());
    xseal(key, nonce, all.first(1), all.subspan(25, 61));
    return envelope;
}

inline Bytes rewrite_header(const Session& sender, Bytes envelope, std::size_t field, std::uint32_t value) {
    return rewrite_header(sender, std::move(envelope),
                          [&](std::span<std::byte> plain) { put(plain, field, value); });
}

}  // namespace sotto::crypto::test
