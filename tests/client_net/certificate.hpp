// Certificates made for a test: self-signed, or signed by an authority of the test's own.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>

#include "sotto/protocol/link.hpp"

namespace sotto::test {

struct Certificate {
    std::shared_ptr<EVP_PKEY> key;
    std::shared_ptr<X509> x509;

    /// SHA-256 of its public key, as a link carries it.
    [[nodiscard]] protocol::Pin pin() const;
    [[nodiscard]] std::string pem() const;
};

struct CertificateOptions {
    std::string name = "localhost";  ///< the DNS name or address that it is for
    long begins_in_s = -3600;
    long ends_in_s = 24L * 3600;
    const Certificate* issuer = nullptr;  ///< none: self-signed
    bool authority = false;
};

[[nodiscard]] Certificate make_certificate(const CertificateOptions& options = {});

}  // namespace sotto::test
