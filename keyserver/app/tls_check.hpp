// What `check` asks of a certificate, and of a server through the network as a client would.
#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <string>

#include "sotto/protocol/link.hpp"

namespace sotto::keyserver {

struct CertificateFacts {
    protocol::Pin pin{};
    std::int64_t not_before = 0;  ///< seconds since 1970
    std::int64_t not_after = 0;
    bool for_host = false;     ///< it names the host
    bool self_signed = false;  ///< clients need its pin
};
/// Of the first certificate in a file. On failure: one sentence.
[[nodiscard]] std::expected<CertificateFacts, std::string> certificate_facts(
    const std::filesystem::path& file, const std::string& host);

struct Reached {
    protocol::Pin pin{};
    bool healthy = false;  ///< /healthz answered 200
};
/// Connects, shakes hands with TLS 1.3 and asks for /healthz, all within some seconds. On failure: a few
/// words.
[[nodiscard]] std::expected<Reached, std::string> reach(const std::string& host, std::uint16_t port);

}  // namespace sotto::keyserver
