#include "sotto/crypto/codec.hpp"

#include "sodium.hpp"

namespace sotto::crypto {
namespace {

template <class T>
T big_endian(ByteView bytes) {
    T value = 0;
    for (const auto b : bytes) value = static_cast<T>((value << 8U) | std::to_integer<T>(b));
    return value;
}

}  // namespace

ByteView Reader::take(std::size_t size) {
    if (!ok_ || size > rest_.size()) {
        fail();
        return {};
    }
    const auto out = rest_.first(size);
    rest_ = rest_.subspan(size);
    return out;
}

std::uint8_t Reader::u8() {
    const auto byte = take(1);
    return byte.empty() ? std::uint8_t{0} : std::to_integer<std::uint8_t>(byte[0]);
}
std::uint16_t Reader::u16() {
    return big_endian<std::uint16_t>(take(2));
}
std::uint32_t Reader::u32() {
    return big_endian<std::uint32_t>(take(4));
}
std::uint64_t Reader::u64() {
    return big_endian<std::uint64_t>(take(8));
}

// libsodium's conversions run in constant time: links and tokens pass through here.

std::string to_base64url(ByteView bytes) {
    constexpr int variant = sodium_base64_VARIANT_URLSAFE_NO_PADDING;
    std::string out(sodium_base64_encoded_len(bytes.size(), variant), '\0');
    sodium_bin2base64(out.data(), out.size(), uc(bytes.data()), bytes.size(), variant);
    out.pop_back();  // the terminating zero
    return out;
}

Result<Bytes> from_base64url(std::string_view text) {
    Bytes out(text.size() / 4 * 3 + 2);
    std::size_t size = 0;
    if (sodium_base642bin(uc(out.data()), out.size(), text.data(), text.size(), nullptr, &size, nullptr,
                          sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0)
        return std::unexpected(Error::malformed);
    out.resize(size);
    return out;
}

std::string to_hex(ByteView bytes) {
    std::string out(bytes.size() * 2 + 1, '\0');
    sodium_bin2hex(out.data(), out.size(), uc(bytes.data()), bytes.size());
    out.pop_back();
    return out;
}

Result<Bytes> from_hex(std::string_view text) {
    if (text.empty()) return Bytes{};  // libsodium wants a place to write to, even for nothing
    Bytes out(text.size() / 2);
    std::size_t size = 0;
    if (text.size() % 2 != 0 ||
        sodium_hex2bin(uc(out.data()), out.size(), text.data(), text.size(), nullptr, &size, nullptr) != 0)
        return std::unexpected(Error::malformed);
    return out;
}

bool all_zero(ByteView bytes) {
    std::byte any{};
    for (const auto b : bytes) any |= b;
    return any == std::byte{};
}

}  // namespace sotto::crypto
