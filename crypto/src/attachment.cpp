#include "sotto/crypto/attachment.hpp"

#include <algorithm>

#include "aead.hpp"
#include "labels.hpp"
#include "sotto/crypto/codec.hpp"
#include "sotto/crypto/session.hpp"

namespace sotto::crypto {
namespace {

constexpr std::byte attachment_format{1};
constexpr std::size_t attachment_salt_size = 16;

static_assert(attachment_tag_size == tag_size);
static_assert(sizeof(std::size_t) >= sizeof(std::uint64_t), "padded_size takes lengths over 4 GiB");

/// K_enc ‖ C = mac64(key, label, header up to the commitment ‖ u64 length).
class AttachmentKeys {
  public:
    AttachmentKeys(const AttachmentKey& key, ByteView head, std::uint64_t length) {
        Bytes encoded;
        Writer{encoded}.u64(length);
        mac64(key.expose(), labels::attachment, {head, encoded}, both_.writable());
    }
    [[nodiscard]] AttachmentChunkKey encryption() const {
        return AttachmentChunkKey{both_.expose().first<32>()};
    }
    [[nodiscard]] FixedView<32> commitment() const { return both_.expose().last<32>(); }

  private:
    struct BothTag;
    Secret<BothTag, 64> both_;
};

}  // namespace

Result<std::uint64_t> attachment_stream_size(std::uint64_t length) {
    if (length > max_attachment_size) return std::unexpected(Error::too_large);
    const std::uint64_t padded = padded_size(length);
    const auto chunks = (padded + attachment_chunk_size - 1) / attachment_chunk_size;
    return attachment_header_size + padded + chunks * attachment_tag_size;
}

namespace detail {

AttachmentPosition::AttachmentPosition(std::uint64_t length)
    : length_(length), padded_(padded_size(length)) {}

std::size_t AttachmentPosition::size() const {
    return std::min<std::uint64_t>(padded_ - at_, attachment_chunk_size);
}

std::size_t AttachmentPosition::content() const {
    return at_ < length_ ? std::min<std::uint64_t>(length_ - at_, attachment_chunk_size) : 0;
}

Array<12> AttachmentPosition::nonce() const {
    Bytes out(3);  // the counter's upper 24 bits
    Writer writer{out};
    writer.u64(index_);
    writer.u8(last() ? 1 : 0);
    Array<12> nonce;
    std::ranges::copy(out, nonce.begin());
    return nonce;
}

void AttachmentPosition::advance() {
    at_ += size();
    ++index_;
}

}  // namespace detail

Result<AttachmentSealer> AttachmentSealer::begin(const AttachmentKey& key, std::uint64_t length, Rng& rng) {
    if (length > max_attachment_size) return std::unexpected(Error::too_large);
    Array<attachment_header_size> header;
    const std::span all{header};
    header[0] = attachment_format;
    rng.fill(all.subspan<1, attachment_salt_size>());
    const AttachmentKeys keys{key, all.first<1 + attachment_salt_size>(), length};
    copy_bytes(keys.commitment(), all.last<32>());
    return AttachmentSealer{keys.encryption(), header, length};
}

Result<Bytes> AttachmentSealer::seal(ByteView content) {
    if (done()) return std::unexpected(Error::exhausted);
    if (content.size() != wants()) return std::unexpected(Error::mismatch);
    Bytes out(position_.size() + attachment_tag_size);
    copy_bytes(content, out);
    crypto::seal(key_.expose(), position_.nonce(), {}, out);
    position_.advance();
    return out;
}

Result<AttachmentOpener> AttachmentOpener::begin(const AttachmentKey& key, std::uint64_t length,
                                                 ByteView header) {
    if (length > max_attachment_size) return std::unexpected(Error::too_large);
    if (header.size() != attachment_header_size) return std::unexpected(Error::malformed);
    if (header[0] != attachment_format) return std::unexpected(Error::unsupported);
    const AttachmentKeys keys{key, header.first(1 + attachment_salt_size), length};
    if (!equal_constant_time(keys.commitment(), header.last<32>()))
        return std::unexpected(Error::cannot_open);
    return AttachmentOpener{keys.encryption(), length};
}

std::size_t AttachmentOpener::wants() const {
    return done() ? 0 : position_.size() + attachment_tag_size;
}

Result<SecretBytes> AttachmentOpener::open(ByteView sealed) {
    if (done()) return std::unexpected(Error::exhausted);
    if (sealed.size() != wants()) return std::unexpected(Error::mismatch);
    SecretBytes out(position_.size());
    if (!crypto::open(key_.expose(), position_.nonce(), {}, sealed, out))
        return std::unexpected(Error::cannot_open);
    const auto content = position_.content();
    if (!all_zero(ByteView{out}.subspan(content))) return std::unexpected(Error::cannot_open);
    out.resize(content);
    position_.advance();
    return out;
}

}  // namespace sotto::crypto
