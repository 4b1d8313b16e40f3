// What is inside an envelope's body: frames and padding. docs/protocol.md section 8.
#pragma once

#include "sotto/crypto/error.hpp"
#include "sotto/crypto/secret.hpp"

namespace sotto::crypto {

inline constexpr std::size_t frame_head_size = 5;  ///< u8 type, u32 length

/// Writes the content frame to the front of `body`, whose rest is zero and so is the padding.
void write_content_frame(ByteView content, std::span<std::byte> body);

/// The one content frame of a body; malformed for a second or none, an unknown critical frame, a wrong
/// length, or padding that isn't zero. The view is into `body`.
[[nodiscard]] Result<ByteView> read_frames(ByteView body);

}  // namespace sotto::crypto
