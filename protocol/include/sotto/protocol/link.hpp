// The two kinds of sotto:// links. docs/protocol.md section 12.1.
//
//   server   sotto://host[:port]/[#PIN]
//   contact  sotto://host[:port]/user@name#PIN.SECRET.FINGERPRINT     (PIN may be empty for a Web-PKI server)
//
// PIN, SECRET and FINGERPRINT are 32 bytes each in base64url without padding. Everything secret stands behind
// the '#'.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "sotto/crypto/invite.hpp"
#include "sotto/crypto/record.hpp"

namespace sotto::protocol {

using Pin = Array<32>;

/// Where a server listens and how it is known.
struct Endpoint {
    std::string host;  ///< DNS name, IPv4, or IPv6 without brackets
    std::uint16_t port = 0;
    std::optional<Pin> pin;  ///< none: Web PKI
    bool operator==(const Endpoint&) const = default;
};

struct ContactLink {
    Endpoint endpoint;
    crypto::Address address;
    crypto::InviteSecret secret;
    Array<32> fingerprint{};  ///< crypto::account_fingerprint of the inviter's account key
};

/// On failure: one sentence that says what is wrong with the link.
[[nodiscard]] std::expected<Endpoint, std::string> parse_server_link(std::string_view text);
[[nodiscard]] std::string format_server_link(const Endpoint& endpoint);
[[nodiscard]] std::expected<ContactLink, std::string> parse_contact_link(std::string_view text);
[[nodiscard]] std::string format_contact_link(const ContactLink& link);
/// True if the text starts as a link of ours does.
[[nodiscard]] bool looks_like_link(std::string_view text);

}  // namespace sotto::protocol
