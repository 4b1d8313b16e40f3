#include "sotto/crypto/hash.hpp"

#include <stdexcept>
#include <string>

#include "primitives.hpp"
#include "sodium.hpp"

namespace sotto::crypto {
namespace {

constexpr std::array<unsigned char, 1> separator{0};

/// BLAKE2b over label ‖ 0 ‖ parts…, its state wiped at the end, since it holds the key.
class Blake2b {
  public:
    Blake2b(ByteView key, std::size_t size) {
        start_sodium();
        if (crypto_generichash_blake2b_init(&state_, uc(key.data()), key.size(), size) != 0)
            throw std::invalid_argument("a BLAKE2b key has at most 64 bytes");
    }
    Blake2b(const Blake2b&) = delete;
    Blake2b& operator=(const Blake2b&) = delete;
    Blake2b(Blake2b&&) = delete;
    Blake2b& operator=(Blake2b&&) = delete;
    ~Blake2b() { wipe(&state_, sizeof state_); }

    void run(Label label, std::initializer_list<ByteView> parts, std::span<std::byte> out) {
        add(bytes_of(label));
        crypto_generichash_blake2b_update(&state_, separator.data(), separator.size());
        for (const auto part : parts) add(part);
        crypto_generichash_blake2b_final(&state_, uc(out.data()), out.size());
    }

  private:
    void add(ByteView bytes) { crypto_generichash_blake2b_update(&state_, uc(bytes.data()), bytes.size()); }
    crypto_generichash_blake2b_state state_;
};

void require_mac_key(ByteView key) {
    if (key.size() < crypto_generichash_blake2b_KEYBYTES_MIN)
        throw std::invalid_argument("a MAC key has at least 16 bytes");
}

}  // namespace

Array<32> hash(Label label, std::initializer_list<ByteView> parts) {
    Array<32> out;
    Blake2b({}, out.size()).run(label, parts, out);
    return out;
}

void mac(ByteView key, Label label, std::initializer_list<ByteView> parts, std::span<std::byte, 32> out) {
    require_mac_key(key);
    Blake2b(key, out.size()).run(label, parts, out);
}

Array<32> mac(ByteView key, Label label, std::initializer_list<ByteView> parts) {
    Array<32> out;
    mac(key, label, parts, out);
    return out;
}

void mac64(ByteView key, Label label, std::initializer_list<ByteView> parts, std::span<std::byte, 64> out) {
    require_mac_key(key);
    Blake2b(key, out.size()).run(label, parts, out);
}

void hkdf_sha512(ByteView salt, std::initializer_list<ByteView> input, std::string_view info,
                 std::span<std::byte> out) {
    start_sodium();
    struct PrkTag;
    Secret<PrkTag, crypto_kdf_hkdf_sha512_KEYBYTES> prk;
    crypto_kdf_hkdf_sha512_state state;
    crypto_kdf_hkdf_sha512_extract_init(&state, uc(salt.data()), salt.size());
    for (const auto part : input) {
        if (!part.empty()) crypto_kdf_hkdf_sha512_extract_update(&state, uc(part.data()), part.size());
    }
    crypto_kdf_hkdf_sha512_extract_final(&state, uc(prk.writable().data()));
    wipe(&state, sizeof state);
    if (crypto_kdf_hkdf_sha512_expand(uc(out.data()), out.size(), info.data(), info.size(),
                                      uc(prk.expose().data())) != 0)
        throw std::invalid_argument("HKDF-SHA-512 gives at most 16,320 bytes");
}

void hkdf(ByteView salt, std::initializer_list<ByteView> input, Label label,
          std::initializer_list<ByteView> info, std::span<std::byte> out) {
    std::string context{label};
    context.push_back('\0');
    for (const auto part : info) context.append(chars_of(part));
    hkdf_sha512(salt, input, context, out);
}

Array<32> sha256(ByteView bytes) {
    Array<32> out;
    crypto_hash_sha256(uc(out.data()), uc(bytes.data()), bytes.size());
    return out;
}

}  // namespace sotto::crypto
