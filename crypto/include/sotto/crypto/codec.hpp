// Fixed binary layouts: big-endian integers, byte strings with a length in front. docs/protocol.md section 1.
#pragma once

#include <algorithm>

#include "sotto/crypto/bytes.hpp"
#include "sotto/crypto/error.hpp"
#include "sotto/crypto/secret.hpp"

namespace sotto::crypto {

/// Reads a layout front to back. The first failure is remembered: every later read gives zeros, and
/// `finish()` tells.
class Reader {
  public:
    explicit Reader(ByteView bytes) : rest_(bytes) {}

    [[nodiscard]] std::uint8_t u8();
    [[nodiscard]] std::uint16_t u16();
    [[nodiscard]] std::uint32_t u32();
    [[nodiscard]] std::uint64_t u64();
    [[nodiscard]] ByteView take(std::size_t size);
    template <std::size_t N>
    [[nodiscard]] Array<N> array() {
        Array<N> out{};
        const auto from = take(N);
        if (from.size() == N) std::copy(from.begin(), from.end(), out.begin());
        return out;
    }
    [[nodiscard]] ByteView remaining() const { return rest_; }
    [[nodiscard]] bool ok() const { return ok_; }
    void fail() {
        ok_ = false;
        rest_ = {};
    }
    /// True if nothing failed and nothing is left over.
    [[nodiscard]] bool finish() const { return ok_ && rest_.empty(); }

  private:
    ByteView rest_;
    bool ok_ = true;
};

/// Appends to a byte container (Bytes or SecretBytes).
template <class Container>
class BasicWriter {
  public:
    explicit BasicWriter(Container& out) : out_(&out) {}
    void u8(std::uint8_t v) { out_->push_back(std::byte{v}); }
    void u16(std::uint16_t v) { big_endian(v); }
    void u32(std::uint32_t v) { big_endian(v); }
    void u64(std::uint64_t v) { big_endian(v); }
    void raw(ByteView bytes) { out_->insert(out_->end(), bytes.begin(), bytes.end()); }

  private:
    template <class T>
    void big_endian(T v) {
        for (int shift = (static_cast<int>(sizeof(T)) - 1) * 8; shift >= 0; shift -= 8)
            out_->push_back(static_cast<std::byte>((v >> shift) & 0xffU));
    }
    Container* out_;
};
using Writer = BasicWriter<Bytes>;
using SecretWriter = BasicWriter<SecretBytes>;

/// base64url without padding (RFC 4648 section 5). Decoding is strict: no other characters, canonical last
/// digit.
[[nodiscard]] std::string to_base64url(ByteView bytes);
[[nodiscard]] Result<Bytes> from_base64url(std::string_view text);
[[nodiscard]] std::string to_hex(ByteView bytes);
[[nodiscard]] Result<Bytes> from_hex(std::string_view text);

/// Looks at every byte, whatever the first ones are.
[[nodiscard]] bool all_zero(ByteView bytes);

}  // namespace sotto::crypto
