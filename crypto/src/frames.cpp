#include "frames.hpp"

#include "labels.hpp"
#include "sotto/crypto/codec.hpp"
#include "sotto/crypto/session.hpp"

namespace sotto::crypto {
namespace {

constexpr std::byte kem_ciphertext_type{static_cast<std::uint8_t>(KeyType::mlkem768_ciphertext)};

Result<KemKeyFrame> parse_kem_key(ByteView value) {
    Reader reader{value};
    const auto epoch = reader.u32();
    const auto key = KemPublicKey::decode(reader.remaining());
    if (!reader.ok() || epoch == 0 || !key) return std::unexpected(Error::malformed);
    return KemKeyFrame{epoch, *key};
}

/// True if the frame is one that may stand here.
bool take_frame(std::uint8_t type, ByteView value, std::optional<ByteView>& content, Frames& out) {
    switch (type) {
        case frame_content:
            if (content) return false;
            content = value;
            return true;
        case frame_kem_key: {
            const auto frame = parse_kem_key(value);
            if (!frame || out.kem_key) return false;
            out.kem_key = *frame;
            return true;
        }
        case frame_kem_ciphertext: {
            const auto frame = parse_kem_ciphertext(value);
            if (!frame || out.kem_ciphertext) return false;
            out.kem_ciphertext.emplace(*frame);
            return true;
        }
        default:
            return type < first_critical_frame;
    }
}

}  // namespace

std::span<std::byte> write_frame(std::uint8_t type, ByteView value, std::span<std::byte> body) {
    const auto size = static_cast<std::uint32_t>(value.size());
    body[0] = std::byte{type};
    for (unsigned i = 0; i < 4; ++i) body[1 + i] = static_cast<std::byte>(size >> (24 - 8 * i));
    copy_bytes(value, body.subspan(frame_head_size));
    return body.subspan(frame_head_size + value.size());
}

Result<Frames> read_frames(ByteView body) {
    Reader reader{body};
    Frames out;
    std::optional<ByteView> content;
    while (!reader.remaining().empty()) {
        const auto type = reader.u8();
        if (type == frame_padding) {
            if (!all_zero(reader.remaining())) return std::unexpected(Error::malformed);
            break;
        }
        const auto value = reader.take(reader.u32());
        if (!reader.ok() || !take_frame(type, value, content, out)) return std::unexpected(Error::malformed);
    }
    if (!content || content->size() > max_content_size) return std::unexpected(Error::malformed);
    out.content = *content;
    return out;
}

KemKeyId kem_key_id(const KemPublicKey& key) {
    const auto whole = hash(labels::epoch_key, {key.encode()});
    KemKeyId id;
    std::copy_n(whole.begin(), id.size(), id.begin());
    return id;
}

Bytes encode_kem_key(std::uint32_t epoch, const KemPublicKey& key) {
    Bytes out;
    out.reserve(kem_key_frame_size);
    Writer writer{out};
    writer.u32(epoch);
    writer.raw(key.encode());
    return out;
}

Bytes encode_kem_ciphertext(std::uint32_t epoch, const KemKeyId& key_id, const KemCiphertext& ciphertext) {
    Bytes out;
    out.reserve(kem_ciphertext_frame_size);
    Writer writer{out};
    writer.u32(epoch);
    writer.raw(key_id);
    writer.u8(std::to_integer<std::uint8_t>(kem_ciphertext_type));
    writer.raw(ciphertext);
    return out;
}

Result<KemCiphertextFrame> parse_kem_ciphertext(ByteView value) {
    if (value.size() != kem_ciphertext_frame_size || value[20] != kem_ciphertext_type)
        return std::unexpected(Error::malformed);
    const auto epoch = Reader{value}.u32();
    if (epoch == 0) return std::unexpected(Error::malformed);
    return KemCiphertextFrame{epoch, value.subspan<4, 16>(), value.subspan<21, kem_ciphertext_size>()};
}

}  // namespace sotto::crypto
