#include "certificate.hpp"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>

#include <cctype>
#include <stdexcept>

namespace sotto::test {
namespace {

void add_extension(X509* certificate, int nid, const std::string& value) {
    X509V3_CTX context{};
    X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
    if (extension == nullptr) throw std::runtime_error("extension");
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
}

}  // namespace

protocol::Pin Certificate::pin() const {
    unsigned char* der = nullptr;
    const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x509.get()), &der);
    protocol::Pin result{};
    SHA256(der, static_cast<std::size_t>(size), reinterpret_cast<unsigned char*>(result.data()));
    OPENSSL_free(der);
    return result;
}

std::string Certificate::pem() const {
    const std::unique_ptr<BIO, decltype(&BIO_free)> bio{BIO_new(BIO_s_mem()), &BIO_free};
    PEM_write_bio_X509(bio.get(), x509.get());
    char* data = nullptr;
    const auto size = BIO_get_mem_data(bio.get(), &data);
    return {data, static_cast<std::size_t>(size)};
}

Certificate make_certificate(const CertificateOptions& options) {
    Certificate result;
    result.key = {EVP_EC_gen("P-256"), &EVP_PKEY_free};
    result.x509 = {X509_new(), &X509_free};
    X509* x509 = result.x509.get();
    X509_set_version(x509, X509_VERSION_3);
    static long serial = 0;
    ASN1_INTEGER_set(X509_get_serialNumber(x509), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(x509), options.begins_in_s);
    X509_gmtime_adj(X509_getm_notAfter(x509), options.ends_in_s);
    X509_set_pubkey(x509, result.key.get());
    X509_NAME* name = X509_get_subject_name(x509);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(options.name.c_str()), -1, -1, 0);
    const auto* issuer = options.issuer;
    X509_set_issuer_name(x509, issuer == nullptr ? name : X509_get_subject_name(issuer->x509.get()));
    add_extension(x509, NID_basic_constraints, options.authority ? "critical,CA:TRUE" : "CA:FALSE");
    if (!options.authority) {
        const bool address = std::isdigit(static_cast<unsigned char>(options.name.front())) != 0;
        add_extension(x509, NID_subject_alt_name, (address ? "IP:" : "DNS:") + options.name);
    }
    if (X509_sign(x509, issuer == nullptr ? result.key.get() : issuer->key.get(), EVP_sha256()) == 0)
        throw std::runtime_error("sign");
    return result;
}

}  // namespace sotto::test
