// What TLS has to be here: version 1.3, a server known by its pinned key or by the Web PKI, and nothing kept
// for later.
#pragma once

#include <openssl/ssl.h>

#include <optional>
#include <string>

#include "sotto/client/transport.hpp"

namespace sotto::client::net {

/// How one connection's server is to be known, and why it was refused. Outlives the context that it is given
/// to.
struct CertificateCheck {
    std::optional<protocol::Pin> pin;  ///< none: chain, name and dates by the Web PKI
    std::optional<NetworkError> refused;
    std::string detail;
};

/// A context for a single connection: connections share no session, no ticket and no cache. The caller owns
/// it.
[[nodiscard]] SSL_CTX* make_context(CertificateCheck& check);

/// Server name indication (DNS names only), and the name or address that the certificate has to be for.
void prepare(SSL* ssl, const std::string& host, const CertificateCheck& check);

/// What a failed handshake means; `error` is OpenSSL's packed code, 0 if the stream broke.
[[nodiscard]] NetworkError explain_failure(const CertificateCheck& check, unsigned long error);

/// RFC 9266 tls-exporter. After the handshake.
[[nodiscard]] Array<32> channel_binding(SSL* ssl);

/// "TLSv1.3, TLS_AES_256_GCM_SHA384, x25519"
[[nodiscard]] std::string describe_tls(SSL* ssl);

}  // namespace sotto::client::net
