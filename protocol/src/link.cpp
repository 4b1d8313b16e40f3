#include "sotto/protocol/link.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "sotto/crypto/codec.hpp"
#include "sotto/protocol/limits.hpp"

namespace sotto::protocol {
namespace {

constexpr std::string_view scheme = "sotto://";
constexpr std::size_t max_link_size = 1024;

using Failed = std::unexpected<std::string>;

[[nodiscard]] std::string lower(std::string_view text) {
    std::string out{text};
    for (char& c : out)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return out;
}

/// A name or an IPv4 address: labels of [a-z0-9-], none empty, none with a hyphen at an end.
[[nodiscard]] bool valid_host_name(std::string_view host) {
    if (!crypto::valid_server_name(host)) return false;
    std::size_t start = 0;
    while (start <= host.size()) {
        const auto end = std::min(host.find('.', start), host.size());
        const auto label = host.substr(start, end - start);
        if (label.empty() || label.size() > 63 || label.front() == '-' || label.back() == '-') return false;
        start = end + 1;
    }
    return true;
}

[[nodiscard]] bool valid_ipv6(const std::string& host) {
    in6_addr out{};
    return inet_pton(AF_INET6, host.c_str(), &out) == 1;
}

[[nodiscard]] std::expected<std::uint16_t, std::string> parse_port(std::string_view text) {
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (error != std::errc{} || end != text.data() + text.size() || port == 0 || text.front() == '0')
        return Failed{"The link's port is not a number from 1 to 65535."};
    return port;
}

/// `host`, `host:port`, `[v6]` or `[v6]:port`.
[[nodiscard]] std::expected<Endpoint, std::string> parse_authority(std::string_view text) {
    Endpoint endpoint;
    std::string_view rest;
    if (text.starts_with('[')) {
        const auto close = text.find(']');
        if (close == std::string_view::npos)
            return Failed{"The link's IPv6 address lacks its closing bracket."};
        endpoint.host = lower(text.substr(1, close - 1));
        rest = text.substr(close + 1);
        if (!valid_ipv6(endpoint.host)) return Failed{"The link's host is not an IPv6 address."};
    } else {
        const auto colon = std::min(text.find(':'), text.size());
        endpoint.host = lower(text.substr(0, colon));
        rest = text.substr(colon);
        if (endpoint.host.empty()) return Failed{"The link names no host."};
        if (!valid_host_name(endpoint.host)) return Failed{"The link's host is not a valid name or address."};
    }
    endpoint.port = default_port;
    if (rest.empty()) return endpoint;
    if (rest.front() != ':' || rest.size() < 2)
        return Failed{"The link has stray characters after its host."};
    const auto port = parse_port(rest.substr(1));
    if (!port) return Failed{port.error()};
    endpoint.port = *port;
    return endpoint;
}

template <std::size_t N>
[[nodiscard]] std::optional<Array<N>> parse_field(std::string_view text) {
    const auto bytes = crypto::from_base64url(text);
    if (!bytes || bytes->size() != N) return std::nullopt;
    Array<N> out;
    std::ranges::copy(*bytes, out.begin());
    return out;
}

/// What stands between scheme and '#', cut at the first '/', and what stands behind the '#'.
struct Parts {
    std::string_view authority;
    std::string_view path;  ///< without its slash
    std::string_view fragment;
    bool has_fragment = false;
};

[[nodiscard]] std::expected<Parts, std::string> split(std::string_view text) {
    if (!text.starts_with(scheme)) return Failed{"A link of Sotto starts with sotto://."};
    if (text.size() > max_link_size) return Failed{"The link is too long to be one of Sotto's."};
    const bool plain = std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f'; });
    if (!plain)
        return Failed{
            "The link contains spaces or characters that no link has; copy it whole and on one line."};
    text.remove_prefix(scheme.size());
    Parts parts;
    const auto hash = text.find('#');
    if (hash != std::string_view::npos) {
        parts.fragment = text.substr(hash + 1);
        parts.has_fragment = true;
        text = text.substr(0, hash);
    }
    const auto slash = text.find('/');
    parts.authority = text.substr(0, slash);
    if (slash != std::string_view::npos) parts.path = text.substr(slash + 1);
    return parts;
}

[[nodiscard]] std::string format_authority(const Endpoint& endpoint) {
    const bool ipv6 = endpoint.host.find(':') != std::string::npos;
    return (ipv6 ? "[" + endpoint.host + "]:" : endpoint.host + ":") + std::to_string(endpoint.port);
}

[[nodiscard]] std::string format_pin(const Endpoint& endpoint) {
    return endpoint.pin ? crypto::to_base64url(*endpoint.pin) : std::string{};
}

}  // namespace

std::expected<Endpoint, std::string> parse_server_link(std::string_view text) {
    const auto parts = split(text);
    if (!parts) return Failed{parts.error()};
    if (!parts->path.empty())
        return Failed{parts->path.find('@') != std::string_view::npos
                          ? "This is a contact's link; here the address of a server is needed."
                          : "The address of a server has nothing between its host and the '#'."};
    auto endpoint = parse_authority(parts->authority);
    if (!endpoint || !parts->has_fragment) return endpoint;
    endpoint->pin = parse_field<pin_size>(parts->fragment);
    if (!endpoint->pin)
        return Failed{
            "The pin behind the '#' is damaged: it has 43 letters, digits, '-' and '_'; copy the address "
            "again."};
    return endpoint;
}

std::string format_server_link(const Endpoint& endpoint) {
    auto link = std::string{scheme} + format_authority(endpoint) + "/";
    if (endpoint.pin) link += "#" + format_pin(endpoint);
    return link;
}

std::expected<ContactLink, std::string> parse_contact_link(std::string_view text) {
    const auto parts = split(text);
    if (!parts) return Failed{parts.error()};
    if (parts->path.empty()) return Failed{"This is a server's address; here a contact's link is needed."};
    auto endpoint = parse_authority(parts->authority);
    if (!endpoint) return Failed{endpoint.error()};
    auto address = crypto::Address::parse(parts->path);
    if (!address) return Failed{"The link names no valid address (user@server)."};

    constexpr auto damaged =
        "The part of the link behind the '#' is damaged or cut off; copy the whole link again.";
    const auto fragment = parts->fragment;
    const auto first = fragment.find('.');
    if (first == std::string_view::npos) return Failed{damaged};
    const auto second = fragment.find('.', first + 1);
    if (second == std::string_view::npos) return Failed{damaged};
    if (first > 0) {
        endpoint->pin = parse_field<pin_size>(fragment.substr(0, first));
        if (!endpoint->pin) return Failed{damaged};
    }
    auto secret = parse_field<crypto::InviteSecret::size>(fragment.substr(first + 1, second - first - 1));
    const auto fingerprint = parse_field<32>(fragment.substr(second + 1));
    if (!secret || !fingerprint) return Failed{damaged};
    ContactLink link{.endpoint = *std::move(endpoint),
                     .address = *std::move(address),
                     .secret = crypto::InviteSecret{FixedView<crypto::InviteSecret::size>{*secret}},
                     .fingerprint = *fingerprint};
    crypto::wipe(secret->data(), secret->size());
    return link;
}

std::string format_contact_link(const ContactLink& link) {
    return std::string{scheme} + format_authority(link.endpoint) + "/" + link.address.text() + "#" +
           format_pin(link.endpoint) + "." + crypto::to_base64url(link.secret.expose()) + "." +
           crypto::to_base64url(link.fingerprint);
}

bool looks_like_link(std::string_view text) {
    return text.starts_with(scheme);
}

}  // namespace sotto::protocol
