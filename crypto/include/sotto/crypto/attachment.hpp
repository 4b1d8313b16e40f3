// Files, sealed chunk by chunk under a key of their own: the STREAM construction (Hoang, Reyhanitabar,
// Rogaway, Vizár 2015) over ChaCha20-Poly1305, with a commitment to key and length. docs/protocol.md
// section 8.1.
//
// Both ends hold one chunk at a time. What announces a file (a message) carries its key and its length.
#pragma once

#include "sotto/crypto/bytes.hpp"
#include "sotto/crypto/error.hpp"
#include "sotto/crypto/random.hpp"
#include "sotto/crypto/secret.hpp"

namespace sotto::crypto {

struct AttachmentKeyTag;
using AttachmentKey = Secret<AttachmentKeyTag, 32>;  ///< fresh for every file

inline constexpr std::size_t attachment_chunk_size =
    64 * 1024;  ///< of plaintext; the last one may be shorter
inline constexpr std::size_t attachment_header_size = 1 + 16 + 32;  ///< format, salt, commitment
inline constexpr std::size_t attachment_tag_size = 16;              ///< of each chunk
inline constexpr std::uint64_t max_attachment_size = 1ULL << 40U;   ///< one TiB

/// Size of the whole stream of a file of `length` bytes, header included. Error: too_large.
[[nodiscard]] Result<std::uint64_t> attachment_stream_size(std::uint64_t length);

struct AttachmentChunkTag;
using AttachmentChunkKey = Secret<AttachmentChunkTag, 32>;  ///< K_enc

namespace detail {
/// Where a stream stands: which part of the padded file the next chunk covers.
class AttachmentPosition {
  public:
    explicit AttachmentPosition(std::uint64_t length);
    [[nodiscard]] bool done() const { return at_ == padded_; }
    [[nodiscard]] bool last() const { return padded_ - at_ <= attachment_chunk_size; }
    /// Bytes of the next chunk before sealing, padding included; 0 when done.
    [[nodiscard]] std::size_t size() const;
    /// How many of them are of the file.
    [[nodiscard]] std::size_t content() const;
    [[nodiscard]] Array<12> nonce() const;
    void advance();

  private:
    std::uint64_t length_;
    std::uint64_t padded_;
    std::uint64_t at_ = 0;
    std::uint64_t index_ = 0;
};
}  // namespace detail

class AttachmentSealer {
  public:
    /// `length` is the file's, which has to be known beforehand. Error: too_large.
    [[nodiscard]] static Result<AttachmentSealer> begin(const AttachmentKey& key, std::uint64_t length,
                                                        Rng& rng);
    /// The first bytes of the stream.
    [[nodiscard]] const Array<attachment_header_size>& header() const { return header_; }
    /// How many of the file's bytes the next chunk takes: 65,536; fewer, or none, where the padding begins.
    [[nodiscard]] std::size_t wants() const { return position_.content(); }
    [[nodiscard]] bool done() const { return position_.done(); }
    /// The next chunk of the stream. Errors: mismatch if `content` has not `wants()` bytes, exhausted if
    /// done.
    [[nodiscard]] Result<Bytes> seal(ByteView content);

  private:
    AttachmentSealer(AttachmentChunkKey key, const Array<attachment_header_size>& header,
                     std::uint64_t length)
        : key_(std::move(key)), header_(header), position_(length) {}
    AttachmentChunkKey key_;
    Array<attachment_header_size> header_;
    detail::AttachmentPosition position_;
};

class AttachmentOpener {
  public:
    /// Checks the commitment: no other key and no other length get past it. Errors: too_large, malformed for
    /// another size of header, unsupported for another format, cannot_open.
    [[nodiscard]] static Result<AttachmentOpener> begin(const AttachmentKey& key, std::uint64_t length,
                                                        ByteView header);
    /// How many bytes of the stream the next chunk has; 0 when done.
    [[nodiscard]] std::size_t wants() const;
    /// The file is whole. Until then, what has been opened is true but only a part: a stream that ends early
    /// is refused by asking here.
    [[nodiscard]] bool done() const { return position_.done(); }
    /// The file's bytes in this chunk. Errors, after which nothing has changed: mismatch if `sealed` has not
    /// `wants()` bytes, exhausted if done (the stream is too long), cannot_open.
    [[nodiscard]] Result<SecretBytes> open(ByteView sealed);

  private:
    AttachmentOpener(AttachmentChunkKey key, std::uint64_t length)
        : key_(std::move(key)), position_(length) {}
    AttachmentChunkKey key_;
    detail::AttachmentPosition position_;
};

}  // namespace sotto::crypto
