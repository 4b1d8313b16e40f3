#include "padding.hpp"

#include <bit>
#include <optional>

#include "sotto/crypto/codec.hpp"
#include "sotto/crypto/session.hpp"

namespace sotto::crypto {
namespace {

constexpr std::uint8_t frame_padding = 0x00;
constexpr std::uint8_t frame_content = 0x01;
constexpr std::uint8_t first_critical_frame = 0x80;
constexpr std::size_t step = 160;
constexpr std::size_t largest_stepped = 960;

}  // namespace

std::size_t padded_size(std::size_t size) {
    if (size <= largest_stepped) return size == 0 ? step : (size + step - 1) / step * step;
    // Padmé: as many low bits are zero as the exponent exceeds its own length.
    const auto exponent = static_cast<unsigned>(std::bit_width(size)) - 1;
    const auto low_bits = exponent - static_cast<unsigned>(std::bit_width(exponent));
    const std::size_t mask = (std::size_t{1} << low_bits) - 1;
    return (size + mask) & ~mask;
}

void write_content_frame(ByteView content, std::span<std::byte> body) {
    const auto size = static_cast<std::uint32_t>(content.size());
    body[0] = std::byte{frame_content};
    for (unsigned i = 0; i < 4; ++i) body[1 + i] = static_cast<std::byte>(size >> (24 - 8 * i));
    std::ranges::copy(content, body.subspan(frame_head_size).begin());
}

Result<ByteView> read_frames(ByteView body) {
    Reader reader{body};
    std::optional<ByteView> content;
    while (!reader.remaining().empty()) {
        const auto type = reader.u8();
        if (type == frame_padding) {
            if (!all_zero(reader.remaining())) return std::unexpected(Error::malformed);
            break;
        }
        const auto value = reader.take(reader.u32());
        if (!reader.ok() || type >= first_critical_frame || (type == frame_content && content))
            return std::unexpected(Error::malformed);
        if (type == frame_content) content = value;
    }
    if (!content || content->size() > max_content_size) return std::unexpected(Error::malformed);
    return *content;
}

}  // namespace sotto::crypto
