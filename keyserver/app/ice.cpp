#include "keyserver/app/ice.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <charconv>
#include <stdexcept>

#include "sotto/crypto/record.hpp"

namespace sotto::keyserver {
namespace {

constexpr std::uint16_t stun_port = 3478;

/// Takes a `:port` off the end; 0 where it is none.
[[nodiscard]] std::uint16_t take_port(std::string_view& rest) {
    const auto colon = rest.rfind(':');
    const auto bracket = rest.rfind(']');
    if (colon == std::string_view::npos || (bracket != std::string_view::npos && colon < bracket))
        return stun_port;
    const auto digits = rest.substr(colon + 1);
    rest = rest.substr(0, colon);
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    return error == std::errc{} && end == digits.data() + digits.size() ? port : std::uint16_t{0};
}

}  // namespace

Outcome<IceServer> parse_ice_server(std::string_view uri) {
    const auto wrong = [&] {
        return problem(
            Exit::input,
            "'" + std::string{uri} +
                "' in 'ice_servers' is no STUN or TURN server; write stun:HOST:PORT, turn:HOST:PORT "
                "or turn:HOST:PORT?transport=tcp.");
    };
    IceServer out;
    auto rest = uri;
    const bool turn = rest.starts_with("turn:");
    if (!turn && !rest.starts_with("stun:")) return wrong();
    rest.remove_prefix(5);
    out.kind = turn ? IceServer::Kind::turn_udp : IceServer::Kind::stun;
    if (const auto question = rest.find('?'); question != std::string_view::npos) {
        const auto query = rest.substr(question + 1);
        rest = rest.substr(0, question);
        if (!turn || (query != "transport=udp" && query != "transport=tcp")) return wrong();
        if (query == "transport=tcp") out.kind = IceServer::Kind::turn_tcp;
    }
    out.port = take_port(rest);
    if (out.port == 0 || !crypto::valid_server_name(rest)) return wrong();
    if (rest.starts_with('[')) rest = rest.substr(1, rest.size() - 2);
    out.host = rest;
    return out;
}

std::string turn_password(ByteView secret, std::string_view username) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> tag{};
    unsigned size = 0;
    const auto input = bytes_of(username);
    if (HMAC(EVP_sha1(), secret.data(), static_cast<int>(secret.size()),
             reinterpret_cast<const unsigned char*>(input.data()), input.size(), tag.data(),
             &size) == nullptr)
        throw std::runtime_error("OpenSSL has no HMAC-SHA-1");
    std::array<unsigned char, 4 * ((EVP_MAX_MD_SIZE + 2) / 3) + 1> text{};
    const auto length = EVP_EncodeBlock(text.data(), tag.data(), static_cast<int>(size));
    return {text.begin(), text.begin() + length};
}

}  // namespace sotto::keyserver
