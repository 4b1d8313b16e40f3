#include "tls.hpp"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <cstring>
#include <memory>
#include <new>
#include <stdexcept>

#include "sotto/crypto/hash.hpp"
#include "sotto/protocol/limits.hpp"

namespace sotto::client::net {
namespace {

/// SHA-256 of the SubjectPublicKeyInfo's DER.
std::optional<protocol::Pin> pin_of(X509* certificate) {
    unsigned char* der = nullptr;
    const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
    if (size <= 0) return std::nullopt;
    const auto pin = crypto::sha256(std::as_bytes(std::span{der, static_cast<std::size_t>(size)}));
    OPENSSL_free(der);
    return pin;
}

NetworkError from_verify_error(int error) {
    switch (error) {
        case X509_V_ERR_CERT_HAS_EXPIRED:
        case X509_V_ERR_CERT_NOT_YET_VALID:
            return NetworkError::expired_certificate;
        case X509_V_ERR_HOSTNAME_MISMATCH:
        case X509_V_ERR_IP_ADDRESS_MISMATCH:
            return NetworkError::wrong_host;
        default:
            return NetworkError::untrusted_certificate;
    }
}

/// Takes the place of OpenSSL's own check of the chain. That the server holds the certificate's key is proved
/// by the handshake's signature, which is checked whatever this says.
int check_certificate(X509_STORE_CTX* store, void* argument) {
    auto& check = *static_cast<CertificateCheck*>(argument);
    if (check.pin) {
        X509* certificate = X509_STORE_CTX_get0_cert(store);
        const auto found = certificate == nullptr ? std::nullopt : pin_of(certificate);
        if (found && *found == *check.pin) {
            X509_STORE_CTX_set_error(store, X509_V_OK);
            return 1;
        }
        check.refused = NetworkError::wrong_pin;
        X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
        return 0;
    }
    if (X509_verify_cert(store) == 1) return 1;
    const int error = X509_STORE_CTX_get_error(store);
    check.refused = from_verify_error(error);
    check.detail = X509_verify_cert_error_string(error);
    return 0;
}

bool is_address(const std::string& host) {
    in6_addr ignored{};
    return ::inet_pton(AF_INET, host.c_str(), &ignored) == 1 ||
           ::inet_pton(AF_INET6, host.c_str(), &ignored) == 1;
}

void require(bool ok, const char* what) {
    if (!ok) throw std::runtime_error(what);
}

}  // namespace

SSL_CTX* make_context(CertificateCheck& check) {
    std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> context{SSL_CTX_new(TLS_client_method()), &SSL_CTX_free};
    if (!context) throw std::bad_alloc{};
    SSL_CTX* ctx = context.get();
    require(SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) == 1, "no TLS 1.3");
    SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
    // A post-quantum group where the library has one (OpenSSL 3.5).
    if (SSL_CTX_set1_groups_list(ctx, "X25519MLKEM768:X25519:P-256:P-384") != 1)
        require(SSL_CTX_set1_groups_list(ctx, "X25519:P-256:P-384") == 1, "no group for the key agreement");
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_cert_verify_callback(ctx, &check_certificate, &check);
    if (!check.pin) SSL_CTX_set_default_verify_paths(ctx);
    ERR_clear_error();
    return context.release();
}

void prepare(SSL* ssl, const std::string& host, const CertificateCheck& check) {
    const bool address = is_address(host);
    // SSL_set_tlsext_host_name without its macro, whose C cast GCC would warn about here.
    if (!address)
        require(SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                         const_cast<char*>(host.c_str())) == 1,
                "server name indication");
    if (check.pin) return;
    X509_VERIFY_PARAM* parameters = SSL_get0_param(ssl);
    X509_VERIFY_PARAM_set_hostflags(parameters, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    const int set = address ? X509_VERIFY_PARAM_set1_ip_asc(parameters, host.c_str())
                            : X509_VERIFY_PARAM_set1_host(parameters, host.c_str(), host.size());
    require(set == 1, "name to verify");
}

NetworkError explain_failure(const CertificateCheck& check, unsigned long error) {
    if (check.refused) return *check.refused;
    if (error == 0) return NetworkError::unreachable;
    switch (ERR_GET_REASON(error)) {
        case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
        case SSL_R_UNSUPPORTED_PROTOCOL:
        case SSL_R_WRONG_SSL_VERSION:
        case SSL_R_VERSION_TOO_LOW:
        case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
            return NetworkError::old_tls;
        case SSL_R_CERTIFICATE_VERIFY_FAILED:
            return NetworkError::untrusted_certificate;
        default:
            return NetworkError::not_sotto;
    }
}

Array<32> channel_binding(SSL* ssl) {
    Array<32> result{};
    const char* label = protocol::exporter_label;
    const int made = SSL_export_keying_material(ssl, reinterpret_cast<unsigned char*>(result.data()),
                                                result.size(), label, std::strlen(label), nullptr, 0, 0);
    require(made == 1, "TLS exporter");
    return result;
}

std::string describe_tls(SSL* ssl) {
    std::string result = SSL_get_version(ssl);
    result.append(", ").append(SSL_get_cipher_name(ssl));
    const auto group = static_cast<int>(SSL_get_negotiated_group(ssl));
    if (const char* name = SSL_group_to_name(ssl, group); name != nullptr) result.append(", ").append(name);
    return result;
}

}  // namespace sotto::client::net
