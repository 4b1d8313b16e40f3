#include <arpa/inet.h>

#include "sotto/crypto/record.hpp"

namespace sotto::crypto {
namespace {

bool lower_alnum(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool valid_label(std::string_view label) {
    return !label.empty() && label.size() <= 63 && label.front() != '-' && label.back() != '-' &&
           std::ranges::all_of(label, [](char c) { return lower_alnum(c) || c == '-'; });
}

bool valid_dns_name(std::string_view name) {
    for (;;) {
        const auto dot = name.find('.');
        if (!valid_label(name.substr(0, dot))) return false;
        if (dot == std::string_view::npos) return true;
        name.remove_prefix(dot + 1);
    }
}

/// The one canonical text of an address (RFC 5952), so that one server can't have two names.
bool valid_ipv6(std::string_view text) {
    const std::string given{text};
    in6_addr binary{};
    std::array<char, INET6_ADDRSTRLEN> canonical{};
    return inet_pton(AF_INET6, given.c_str(), &binary) == 1 &&
           inet_ntop(AF_INET6, &binary, canonical.data(), canonical.size()) != nullptr &&
           given == canonical.data();
}

}  // namespace

bool valid_user_name(std::string_view name) {
    return name.size() >= 2 && name.size() <= 32 && lower_alnum(name.front()) &&
           std::ranges::all_of(name,
                               [](char c) { return lower_alnum(c) || c == '.' || c == '_' || c == '-'; });
}

bool valid_server_name(std::string_view name) {
    if (name.empty() || name.size() > 253) return false;
    if (name.front() == '[') return name.back() == ']' && valid_ipv6(name.substr(1, name.size() - 2));
    return valid_dns_name(name);
}

Result<Address> Address::parse(std::string_view text) {
    const auto at = text.find('@');
    if (at == std::string_view::npos) return std::unexpected(Error::malformed);
    const auto user = text.substr(0, at);
    const auto server = text.substr(at + 1);
    if (!valid_user_name(user) || !valid_server_name(server)) return std::unexpected(Error::malformed);
    return Address{std::string{user}, std::string{server}};
}

}  // namespace sotto::crypto
