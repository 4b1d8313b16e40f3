// The values of a vector file: hex strings and numbers in, checked values out, and randomness by name.
#pragma once

#include <concepts>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "sotto/crypto/codec.hpp"
#include "sotto/crypto/error.hpp"
#include "sotto/crypto/random.hpp"

namespace sotto::vectors {

/// Fields stay in the order in which they were written.
using Json = nlohmann::ordered_json;

/// What a file says is not what the library does, or not what the protocol defines.
class Mismatch : public std::runtime_error {
    using runtime_error::runtime_error;
};

/// What a result holds.
template <class T, class E>
[[nodiscard]] T must(std::expected<T, E> result, std::string_view what) {
    if (!result) throw Mismatch(std::string{what} + ": refused");
    if constexpr (!std::is_void_v<T>) return std::move(*result);
}

[[nodiscard]] inline std::string hex(ByteView bytes) {
    return crypto::to_hex(bytes);
}
[[nodiscard]] Bytes joined(std::initializer_list<ByteView> parts);
[[nodiscard]] Bytes u32(std::uint32_t value);

[[nodiscard]] std::string text(const Json& object, const char* field);
[[nodiscard]] Bytes bytes(const Json& object, const char* field);
[[nodiscard]] bool flag(const Json& object, const char* field);
[[nodiscard]] std::uint64_t number_up_to(std::uint64_t most, const Json& object, const char* field);

template <std::unsigned_integral T>
[[nodiscard]] T number(const Json& object, const char* field) {
    return static_cast<T>(number_up_to(std::numeric_limits<T>::max(), object, field));
}

template <std::size_t N>
[[nodiscard]] Array<N> fixed(const Json& object, const char* field) {
    const auto read = bytes(object, field);
    if (read.size() != N) throw Mismatch(std::string{field} + ": has another length");
    Array<N> out;
    std::ranges::copy(read, out.begin());
    return out;
}

template <class SecretType>
[[nodiscard]] SecretType secret(const Json& object, const char* field) {
    return SecretType{FixedView<SecretType::size>{fixed<SecretType::size>(object, field)}};
}

/// Mismatch unless the field holds exactly these bytes.
void expect(const Json& object, const char* field, ByteView bytes);
void expect_that(bool right, std::string_view what);

/// Mismatch that names the first place where the two differ; the order of fields doesn't matter.
void expect_same(const Json& said, const Json& is, const std::string& where);

/// SHA-256 of bytes that are refused, so that everybody knows to have refused the same ones.
[[nodiscard]] std::string digest(ByteView bytes);

/// What a key pair makes of a ciphertext of zeros, which is none of its own: the one way to see z.
[[nodiscard]] std::string rejection(FixedView<64> seed);

/// `of` with the change that the object describes: `at` and `with` (bytes put there), `append`, or `cut`
/// (bytes that are gone at the end).
[[nodiscard]] Bytes changed(ByteView of, const Json& change);

/// The randomness of one call of the library. Fresh draws are noted; given ones are played back.
class Draws final : public crypto::Rng {
  public:
    /// `fresh` null: the draws are `given.random`, by name, in the order of docs/protocol.md section 14.
    Draws(const Json& given, crypto::Rng* fresh);
    void fill(std::span<std::byte> out) override;
    [[nodiscard]] const std::vector<Bytes>& drawn() const { return drawn_; }
    /// After the call: the draws were these. Fresh ones are written into `given.random`; of given ones none
    /// may be left, and none may have another name.
    void finish(Json& given, const std::vector<const char*>& names) const;

  private:
    crypto::Rng* fresh_;
    std::vector<Bytes> drawn_;
    std::size_t next_ = 0;
};

}  // namespace sotto::vectors
