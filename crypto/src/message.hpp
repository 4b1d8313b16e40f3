// The two encrypted parts of an envelope, header and body. docs/protocol.md section 8.
#pragma once

#include "aead.hpp"
#include "frames.hpp"
#include "state.hpp"

namespace sotto::crypto {

inline constexpr std::size_t salt_size = 16;
inline constexpr std::size_t header_plain_size = encoded_key_size + 4 + 4 + 4;
inline constexpr std::size_t header_size = header_plain_size + tag_size;
inline constexpr std::size_t commitment_size = 32;
inline constexpr std::size_t body_offset = xnonce_size + header_size + commitment_size;  ///< from the salt on

/// K_enc ‖ C of one message.
class BodyKeys {
  public:
    BodyKeys(const MessageKey& key, FixedView<salt_size> salt, const SessionId& id,
             FixedView<header_size> header);
    [[nodiscard]] FixedView<32> encryption() const { return both_.expose().first<32>(); }
    [[nodiscard]] FixedView<32> commitment() const { return both_.expose().last<32>(); }

  private:
    struct BothTag;
    Secret<BothTag, 64> both_;
};

/// Does the envelope's hint name this key? Costs one SipHash.
[[nodiscard]] bool hinted(const HeaderKey& key, const Envelope& envelope);

/// The header's fields, if `key` opens it and its key and counter are in range. The epoch is as it was sent.
[[nodiscard]] std::optional<Match> open_header(const HeaderKey& key, const Envelope& envelope);

/// The header of message `n` of the sending chain, and the body, into `message`: the envelope from the salt
/// on, which is zero but for the body's frames. `prefix` is what stands before it.
void seal_message(const Session::State& state, const MessageKey& key, std::uint32_t n, ByteView prefix,
                  std::span<std::byte> message, Rng& rng);

/// A body that has opened: its plaintext, and the frames as views into it.
struct Body {
    SecretBytes plain;
    Frames frames;
    /// The content alone, in the same memory; ends the views.
    [[nodiscard]] SecretBytes content() &&;
};

/// cannot_open unless commitment, tag and frames are all right.
[[nodiscard]] Result<Body> open_body(const MessageKey& key, const SessionId& id, const Envelope& envelope);

}  // namespace sotto::crypto
