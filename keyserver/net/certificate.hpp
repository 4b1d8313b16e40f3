// The server's certificate: made at init where none is given, known to clients by the pin of its key. No Asio
// here.
#pragma once

#include <expected>
#include <filesystem>
#include <memory>
#include <string>

#include "sotto/protocol/link.hpp"

struct ssl_ctx_st;

namespace sotto::keyserver {

struct Credentials {
    std::string certificate;  ///< PEM
    std::string key;          ///< PEM
};

/// A fresh ECDSA P-256 key and a certificate that it signs itself, for `host` (a name or an address), valid
/// for ten years: what clients check is the pin.
[[nodiscard]] Credentials make_credentials(const std::string& host);

/// SHA-256 of the first certificate's public key (SubjectPublicKeyInfo). On failure: one sentence.
[[nodiscard]] std::expected<protocol::Pin, std::string> certificate_pin(
    const std::filesystem::path& certificate);

struct FreeTlsContext {
    void operator()(ssl_ctx_st* context) const noexcept;
};
using TlsContext = std::unique_ptr<ssl_ctx_st, FreeTlsContext>;

/// TLS 1.3 alone, without resumption and without early data. On failure: one sentence.
[[nodiscard]] std::expected<TlsContext, std::string> make_tls_context(
    const std::filesystem::path& certificate, const std::filesystem::path& key);

}  // namespace sotto::keyserver
