#include "keyserver/net/certificate.hpp"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <array>
#include <stdexcept>

#include "sotto/crypto/hash.hpp"

namespace sotto::keyserver {
namespace {

template <auto Free>
struct Freed {
    template <class T>
    void operator()(T* object) const noexcept {
        Free(object);
    }
};
using Bio = std::unique_ptr<BIO, Freed<BIO_free_all>>;
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freed<X509_free>>;
using Number = std::unique_ptr<BIGNUM, Freed<BN_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Freed<X509_EXTENSION_free>>;

/// Fresh memory is all that these can lack: anything else is a bug.
void must(bool done, const char* what) {
    if (!done) throw std::runtime_error(std::string{"OpenSSL could not "} + what);
}

[[nodiscard]] std::string content(BIO* bio) {
    char* data = nullptr;
    const auto size = BIO_get_mem_data(bio, &data);
    return {data, static_cast<std::size_t>(size)};
}

void add_extension(X509* certificate, int kind, const std::string& value) {
    const Extension extension{X509V3_EXT_conf_nid(nullptr, nullptr, kind, value.c_str())};
    must(extension && X509_add_ext(certificate, extension.get(), -1) == 1,
         "add an extension to a certificate");
}

[[nodiscard]] std::string alternative_name(const std::string& host) {
    std::array<unsigned char, 16> ignored{};
    const bool address = inet_pton(AF_INET, host.c_str(), ignored.data()) == 1 ||
                         inet_pton(AF_INET6, host.c_str(), ignored.data()) == 1;
    return (address ? "IP:" : "DNS:") + host;
}

void set_serial(X509* certificate) {
    std::array<unsigned char, 16> bytes{};
    must(RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) == 1, "draw a random number");
    bytes[0] &= 0x7fU;
    const Number number{BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr)};
    must(number && BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr,
         "number a certificate");
}

/// The first of OpenSSL's own words for what went wrong; the rest is dropped.
[[nodiscard]] std::string reason() {
    const auto code = ERR_get_error();
    const auto* const text = ERR_reason_error_string(code);
    ERR_clear_error();
    return text == nullptr ? "unknown reason" : text;
}

[[nodiscard]] bool offer_groups(SSL_CTX* context) {
    // Post-quantum key agreement first wherever this OpenSSL has it (3.5 and later).
    if (SSL_CTX_set1_groups_list(context, "X25519MLKEM768:X25519:P-256") == 1) return true;
    ERR_clear_error();
    return SSL_CTX_set1_groups_list(context, "X25519:P-256") == 1;
}

}  // namespace

Credentials make_credentials(const std::string& host) {
    const Key key{EVP_EC_gen("P-256")};
    const Certificate certificate{X509_new()};
    must(key && certificate, "make a key");
    constexpr long day = 24L * 3600;
    must(X509_set_version(certificate.get(), X509_VERSION_3) == 1, "make a certificate");
    set_serial(certificate.get());
    must(X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -day) != nullptr &&
             X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3650 * day) != nullptr &&
             X509_set_pubkey(certificate.get(), key.get()) == 1,
         "make a certificate");
    auto* const name = X509_get_subject_name(certificate.get());
    const std::string common =
        host.size() <= 64 ? host : "sotto-keyserver";  // RFC 5280's bound of a common name
    must(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                    reinterpret_cast<const unsigned char*>(common.data()),
                                    static_cast<int>(common.size()), -1, 0) == 1 &&
             X509_set_issuer_name(certificate.get(), name) == 1,
         "name a certificate");
    add_extension(certificate.get(), NID_subject_alt_name, alternative_name(host));
    add_extension(certificate.get(), NID_basic_constraints, "critical,CA:FALSE");
    add_extension(certificate.get(), NID_key_usage, "critical,digitalSignature");
    add_extension(certificate.get(), NID_ext_key_usage, "serverAuth");
    must(X509_sign(certificate.get(), key.get(), EVP_sha256()) > 0, "sign a certificate");

    const Bio certificate_out{BIO_new(BIO_s_mem())};
    const Bio key_out{BIO_new(BIO_s_secmem())};
    must(certificate_out && key_out && PEM_write_bio_X509(certificate_out.get(), certificate.get()) == 1 &&
             PEM_write_bio_PrivateKey(key_out.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1,
         "write a certificate");
    return {.certificate = content(certificate_out.get()), .key = content(key_out.get())};
}

std::expected<protocol::Pin, std::string> certificate_pin(const std::filesystem::path& certificate) {
    const Bio file{BIO_new_file(certificate.c_str(), "r")};
    if (!file)
        return std::unexpected("The certificate " + certificate.string() + " can't be read: " + reason() +
                               ".");
    const Certificate parsed{PEM_read_bio_X509(file.get(), nullptr, nullptr, nullptr)};
    if (!parsed) return std::unexpected(certificate.string() + " holds no certificate in PEM form.");
    unsigned char* der = nullptr;
    const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(parsed.get()), &der);
    must(size > 0, "encode a public key");
    const auto pin = crypto::sha256(std::as_bytes(std::span{der, static_cast<std::size_t>(size)}));
    OPENSSL_free(der);
    return pin;
}

void FreeTlsContext::operator()(ssl_ctx_st* context) const noexcept {
    SSL_CTX_free(context);
}

std::expected<TlsContext, std::string> make_tls_context(const std::filesystem::path& certificate,
                                                        const std::filesystem::path& key) {
    TlsContext context{SSL_CTX_new(TLS_server_method())};
    must(context != nullptr, "make a TLS context");
    auto* const raw = context.get();
    must(SSL_CTX_set_min_proto_version(raw, TLS1_3_VERSION) == 1 && SSL_CTX_set_num_tickets(raw, 0) == 1 &&
             SSL_CTX_set_max_early_data(raw, 0) == 1 && offer_groups(raw),
         "set up TLS 1.3");
    SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_options(raw, SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE);
    // Buffers only while bytes move; one read of the socket for all that is there; and what could not be
    // written may lie elsewhere at the next try.
    SSL_CTX_set_mode(
        raw, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_read_ahead(raw, 1);
    // A read comes back when it has worked off what it had taken from the socket, also if that was nothing
    // but key updates: others on the same thread have their turn.
    SSL_CTX_clear_mode(raw, SSL_MODE_AUTO_RETRY);
    if (SSL_CTX_use_certificate_chain_file(raw, certificate.c_str()) != 1)
        return std::unexpected("The certificate " + certificate.string() + " can't be used: " + reason() +
                               ".");
    const bool loaded = SSL_CTX_use_PrivateKey_file(raw, key.c_str(), SSL_FILETYPE_PEM) == 1;
    const bool other = !loaded && ERR_GET_REASON(ERR_peek_error()) == X509_R_KEY_VALUES_MISMATCH;
    const auto why = loaded ? std::string{} : reason();
    if (other || (loaded && SSL_CTX_check_private_key(raw) != 1)) {
        ERR_clear_error();
        return std::unexpected("The private key " + key.string() + " does not belong to the certificate " +
                               certificate.string() + ".");
    }
    if (!loaded) return std::unexpected("The private key " + key.string() + " can't be used: " + why + ".");
    return context;
}

}  // namespace sotto::keyserver
