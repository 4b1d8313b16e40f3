#include "aead.hpp"

#include "sodium.hpp"

namespace sotto::crypto {
namespace {

constexpr Array<crypto_aead_chacha20poly1305_ietf_NPUBBYTES> zero_nonce{};

}  // namespace

void seal(FixedView<32> key, FixedView<12> nonce, ByteView associated, std::span<std::byte> data) {
    crypto_aead_chacha20poly1305_ietf_encrypt(uc(data.data()), nullptr, uc(data.data()),
                                              data.size() - tag_size, uc(associated.data()),
                                              associated.size(), nullptr, uc(nonce.data()), uc(key.data()));
}

bool open(FixedView<32> key, FixedView<12> nonce, ByteView associated, ByteView sealed,
          std::span<std::byte> out) {
    return crypto_aead_chacha20poly1305_ietf_decrypt(uc(out.data()), nullptr, nullptr, uc(sealed.data()),
                                                     sealed.size(), uc(associated.data()), associated.size(),
                                                     uc(nonce.data()), uc(key.data())) == 0;
}

void seal_once(FixedView<32> key, ByteView associated, std::span<std::byte> data) {
    seal(key, zero_nonce, associated, data);
}

bool open_once(FixedView<32> key, ByteView associated, ByteView sealed, std::span<std::byte> out) {
    return open(key, zero_nonce, associated, sealed, out);
}

void xseal(FixedView<32> key, FixedView<24> nonce, ByteView associated, std::span<std::byte> data) {
    crypto_aead_xchacha20poly1305_ietf_encrypt(uc(data.data()), nullptr, uc(data.data()),
                                               data.size() - tag_size, uc(associated.data()),
                                               associated.size(), nullptr, uc(nonce.data()), uc(key.data()));
}

bool xopen(FixedView<32> key, FixedView<24> nonce, ByteView associated, ByteView sealed,
           std::span<std::byte> out) {
    return crypto_aead_xchacha20poly1305_ietf_decrypt(uc(out.data()), nullptr, nullptr, uc(sealed.data()),
                                                      sealed.size(), uc(associated.data()), associated.size(),
                                                      uc(nonce.data()), uc(key.data())) == 0;
}

}  // namespace sotto::crypto
