#include "sotto/crypto/safety_number.hpp"

#include <algorithm>

#include "numeric_fingerprint.hpp"
#include "sodium.hpp"

namespace sotto::crypto {
namespace {

constexpr std::size_t groups = 6;
constexpr std::size_t group_bytes = 5;
constexpr std::size_t group_digits = 5;
constexpr std::array<unsigned char, 2> fingerprint_version{0, 0};
constexpr std::string_view qr_prefix = "SOTTO/1/NUMBER/";
constexpr std::string_view blanks = " \t\r\n";

using Digest = std::array<unsigned char, crypto_hash_sha512_BYTES>;

}  // namespace

std::string numeric_fingerprint(ByteView encoded_key, ByteView identifier) {
    Digest digest;
    crypto_hash_sha512_state state;
    crypto_hash_sha512_init(&state);
    crypto_hash_sha512_update(&state, fingerprint_version.data(), fingerprint_version.size());
    crypto_hash_sha512_update(&state, uc(encoded_key.data()), encoded_key.size());
    crypto_hash_sha512_update(&state, uc(identifier.data()), identifier.size());
    crypto_hash_sha512_update(&state, uc(encoded_key.data()), encoded_key.size());
    crypto_hash_sha512_final(&state, digest.data());
    for (int i = 1; i < safety_number_iterations; ++i) {
        crypto_hash_sha512_init(&state);
        crypto_hash_sha512_update(&state, digest.data(), digest.size());
        crypto_hash_sha512_update(&state, uc(encoded_key.data()), encoded_key.size());
        crypto_hash_sha512_final(&state, digest.data());
    }

    std::string out;
    for (std::size_t group = 0; group < groups; ++group) {
        std::uint64_t value = 0;
        for (std::size_t i = 0; i < group_bytes; ++i) value = value << 8U | digest[group * group_bytes + i];
        const auto digits = std::to_string(value % 100000);
        out.append(group_digits - digits.size(), '0').append(digits);
    }
    return out;
}

std::string join_fingerprints(const std::string& a, const std::string& b) {
    return a < b ? a + b : b + a;
}

std::string safety_number(const AccountKey& own_key, const Address& own, const AccountKey& peer_key,
                          const Address& peer) {
    return join_fingerprints(numeric_fingerprint(own_key.encode(), bytes_of(own.text())),
                             numeric_fingerprint(peer_key.encode(), bytes_of(peer.text())));
}

std::string safety_number_qr(std::string_view number) {
    return std::string{qr_prefix}.append(number);
}

std::optional<GivenNumber> parse_safety_number(std::string_view text) {
    const auto first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos) return std::nullopt;
    text = text.substr(first, text.find_last_not_of(blanks) - first + 1);
    GivenNumber out;
    out.qr = text.starts_with(qr_prefix);
    if (out.qr) text.remove_prefix(qr_prefix.size());
    for (const char c : text) {
        const bool digit = c >= '0' && c <= '9';
        if (!digit && (out.qr || blanks.find(c) == std::string_view::npos)) return std::nullopt;
        if (!digit) continue;
        if (out.digits.size() == safety_number_digits) return std::nullopt;
        out.digits += c;
    }
    if (out.digits.size() != safety_number_digits) return std::nullopt;
    return out;
}

}  // namespace sotto::crypto
