#include "bench/loadgen/net/upgrade.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <span>
#include <stdexcept>

namespace sotto::loadgen {
namespace {

[[nodiscard]] std::string base64(std::span<const unsigned char> bytes) {
    std::string out((bytes.size() + 2) / 3 * 4 + 1, '\0');  // OpenSSL puts a zero behind it
    const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), bytes.data(),
                                     static_cast<int>(bytes.size()));
    out.resize(static_cast<std::size_t>(size));
    return out;
}

/// What Sec-WebSocket-Accept has to be.
[[nodiscard]] std::string accept_of(std::string_view key) {
    std::string input{key};
    input += "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    if (EVP_Digest(input.data(), input.size(), digest.data(), &size, EVP_sha1(), nullptr) != 1)
        throw std::runtime_error("SHA-1 is not to be had from OpenSSL");
    return base64(std::span{digest}.first(size));
}

[[nodiscard]] bool same_word(std::string_view a, std::string_view b) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
    return std::ranges::equal(a, b, {}, lower, lower);
}

[[nodiscard]] std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// The field's value in the header lines; empty if it isn't there.
[[nodiscard]] std::string_view field(std::string_view header, std::string_view name) {
    for (auto at = header.find("\r\n"); at != std::string_view::npos; at = header.find("\r\n", at)) {
        at += 2;
        const auto line = header.substr(at, header.find("\r\n", at) - at);
        const auto colon = line.find(':');
        if (colon != std::string_view::npos && same_word(line.substr(0, colon), name))
            return trimmed(line.substr(colon + 1));
    }
    return {};
}

[[nodiscard]] unsigned number(std::string_view text) {
    unsigned value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

}  // namespace

std::string upgrade_key(crypto::Rng& rng) {
    std::array<unsigned char, 16> bytes{};
    rng.fill(std::as_writable_bytes(std::span{bytes}));
    return base64(bytes);
}

std::string upgrade_request(std::string_view host, std::string_view target, std::string_view key) {
    std::string out;
    out.append("GET ").append(target).append(" HTTP/1.1\r\nHost: ").append(host);
    out.append(
        "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ");
    return out.append(key).append("\r\n\r\n");
}

std::optional<UpgradeAnswer> read_upgrade_answer(std::string_view data, std::string_view key) {
    const auto end = data.find("\r\n\r\n");
    if (end == std::string_view::npos) return std::nullopt;
    const auto header = data.substr(0, end + 2);
    UpgradeAnswer answer;
    answer.size = end + 4;
    constexpr std::string_view version = "HTTP/1.1 ";
    const auto status = header.starts_with(version) ? number(header.substr(version.size())) : 0;
    if (status != 101) {
        answer.why = "status " + std::to_string(status);
        answer.retry_after = std::chrono::seconds{std::min(number(field(header, "Retry-After")), 3600U)};
    } else if (field(header, "Sec-WebSocket-Accept") != accept_of(key)) {
        answer.why = "the answer is to another key";
    } else {
        answer.accepted = true;
    }
    return answer;
}

}  // namespace sotto::loadgen
