#include "sotto/crypto/presence.hpp"

#include <algorithm>
#include <stdexcept>

#include "aead.hpp"
#include "labels.hpp"
#include "sotto/crypto/codec.hpp"

namespace sotto::crypto {
namespace {

constexpr std::uint8_t blob_format = 1;
constexpr std::size_t blob_nonce_size = 12;
static_assert(presence_overhead == blob_nonce_size + tag_size);

struct BlobKeyTag;
using BlobKey = Secret<BlobKeyTag, 32>;

[[nodiscard]] BlobKey blob_key(const PresenceKey& day_key) {
    BlobKey key;
    mac(day_key.expose(), labels::presence_blob, {}, key.writable());
    return key;
}

/// The size that a plaintext of this many bytes is padded to; 0 where it fits none.
[[nodiscard]] std::size_t padded(std::size_t size) {
    for (const auto each : presence_padding)
        if (size <= std::to_integer<std::size_t>(each)) return std::to_integer<std::size_t>(each);
    return 0;
}

/// The first 16 bytes of a mac.
template <class Half>
[[nodiscard]] Half first_half(ByteView key, Label label, std::initializer_list<ByteView> parts) {
    struct WholeTag;
    Secret<WholeTag, 32> whole;
    mac(key, label, parts, whole.writable());
    return Half{whole.expose().template first<Half::size>()};
}

[[nodiscard]] Result<PresenceState> read(ByteView plain) {
    Reader in{plain};
    if (in.u8() != blob_format) return std::unexpected(Error::unsupported);
    const auto status = in.u8();
    PresenceState out;
    out.capabilities = in.u16();
    out.device = in.u32();
    const auto since = in.u64();
    const auto text = in.take(in.u8());
    // As it was written: the smallest size that holds it, the rest zero.
    if (!in.ok() || text.size() > max_presence_text || since > (1ULL << 62U) ||
        padded(plain.size() - in.remaining().size()) != plain.size() || !all_zero(in.remaining()))
        return std::unexpected(Error::malformed);
    if (status < 1 || status > 4) return std::unexpected(Error::unsupported);
    out.status = static_cast<PresenceStatus>(status);
    out.since = static_cast<std::int64_t>(since);
    out.text = chars_of(text);
    return out;
}

}  // namespace

std::optional<PresenceKey> presence_key_at(const PresenceKey& key, std::uint32_t from, std::uint32_t to) {
    if (to < from || to - from > max_presence_days) return std::nullopt;
    auto out = key.clone();
    for (; from < to; ++from) {
        PresenceKey next;
        mac(out.expose(), labels::presence_next_day, {}, next.writable());
        out = std::move(next);
    }
    return out;
}

PresenceTopic presence_topic(const PresenceKey& day_key) {
    const auto whole = mac(day_key.expose(), labels::presence_topic, {});
    PresenceTopic topic;
    std::copy_n(whole.begin(), topic.size(), topic.begin());
    return topic;
}

PresenceWriteKey presence_write_key(const PresenceWriteSecret& secret, const PresenceTopic& topic) {
    return first_half<PresenceWriteKey>(secret.expose(), labels::presence_write, {topic});
}

PresenceKey presence_dummy_key(const PresenceKey& day_seed, ByteView place, std::uint32_t index) {
    PresenceKey out;
    Bytes number;
    Writer{number}.u32(index);
    mac(day_seed.expose(), labels::presence_dummy, {place, number}, out.writable());
    return out;
}

PresenceWriteSecret presence_dummy_write_secret(const PresenceKey& day_seed) {
    return first_half<PresenceWriteSecret>(day_seed.expose(), labels::presence_dummy, {});
}

Bytes seal_presence(const PresenceKey& day_key, const PresenceState& state, Rng& rng) {
    if (state.text.size() > max_presence_text || state.since < 0)
        throw std::invalid_argument("a status has a text of at most 128 bytes and a time after 1970");
    SecretBytes plain;
    SecretWriter writer{plain};
    writer.u8(blob_format);
    writer.u8(static_cast<std::uint8_t>(state.status));
    writer.u16(state.capabilities);
    writer.u32(state.device);
    writer.u64(static_cast<std::uint64_t>(state.since));
    writer.u8(static_cast<std::uint8_t>(state.text.size()));
    writer.raw(bytes_of(state.text));
    const auto size = padded(plain.size());

    Bytes out(blob_nonce_size + size + tag_size);
    const auto nonce = rng.bytes<blob_nonce_size>();
    std::ranges::copy(nonce, out.begin());
    std::ranges::copy(plain, out.begin() + blob_nonce_size);
    seal(blob_key(day_key).expose(), FixedView<blob_nonce_size>{nonce}, presence_topic(day_key),
         std::span{out}.subspan(blob_nonce_size));
    return out;
}

Result<PresenceState> open_presence(const PresenceKey& day_key, ByteView blob) {
    if (blob.size() < presence_overhead) return std::unexpected(Error::malformed);
    const auto size = blob.size() - presence_overhead;
    if (padded(size) != size) return std::unexpected(Error::malformed);
    SecretBytes plain(size);
    if (!open(blob_key(day_key).expose(), blob.first<blob_nonce_size>(), presence_topic(day_key),
              blob.subspan(blob_nonce_size), plain))
        return std::unexpected(Error::cannot_open);
    return read(plain);
}

}  // namespace sotto::crypto
