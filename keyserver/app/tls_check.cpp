#include "keyserver/app/tls_check.hpp"

#include <netdb.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <memory>
#include <span>
#include <system_error>
#include <utility>

#include "sotto/crypto/hash.hpp"

namespace sotto::keyserver {
namespace {

constexpr time_t patience_s = 5;

template <auto Free>
struct Freed {
    template <class T>
    void operator()(T* object) const noexcept {
        Free(object);
    }
};
using Bio = std::unique_ptr<BIO, Freed<BIO_free_all>>;
using Certificate = std::unique_ptr<X509, Freed<X509_free>>;
using Context = std::unique_ptr<SSL_CTX, Freed<SSL_CTX_free>>;
using Connection = std::unique_ptr<SSL, Freed<SSL_free>>;

[[nodiscard]] std::int64_t seconds_of(const ASN1_TIME* time) {
    std::tm parts{};
    if (ASN1_TIME_to_tm(time, &parts) != 1) return 0;
    return timegm(&parts);
}

[[nodiscard]] protocol::Pin pin_of(const X509* certificate) {
    unsigned char* der = nullptr;
    const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
    if (size <= 0) return {};
    const auto pin = crypto::sha256(std::as_bytes(std::span{der, static_cast<std::size_t>(size)}));
    OPENSSL_free(der);
    return pin;
}

class Socket {
  public:
    explicit Socket(int fd) : fd_(fd) {}
    Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;
    Socket& operator=(Socket&&) = delete;
    ~Socket() {
        if (fd_ >= 0) ::close(fd_);
    }
    [[nodiscard]] int fd() const { return fd_; }

  private:
    int fd_;
};

[[nodiscard]] std::expected<Socket, std::string> connect_to(const std::string& host, std::uint16_t port) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const int code = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
    if (code != 0) return std::unexpected("the name can't be resolved: " + std::string{gai_strerror(code)});
    const std::unique_ptr<addrinfo, Freed<freeaddrinfo>> all{found};
    std::string why = "no address";
    for (const auto* at = found; at != nullptr; at = at->ai_next) {
        Socket socket{::socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0)};
        const timeval patience{.tv_sec = patience_s, .tv_usec = 0};
        const bool ready =
            socket.fd() >= 0 &&
            ::setsockopt(socket.fd(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0 &&
            ::setsockopt(socket.fd(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) == 0;
        if (ready && ::connect(socket.fd(), at->ai_addr, at->ai_addrlen) == 0) return socket;
        why = std::generic_category().message(errno == EINPROGRESS ? ETIMEDOUT : errno);
    }
    return std::unexpected(why);
}

}  // namespace

std::expected<CertificateFacts, std::string> certificate_facts(const std::filesystem::path& file,
                                                               const std::string& host) {
    const Bio opened{BIO_new_file(file.c_str(), "r")};
    const Certificate certificate{opened ? PEM_read_bio_X509(opened.get(), nullptr, nullptr, nullptr)
                                         : nullptr};
    ERR_clear_error();
    if (!certificate) return std::unexpected(file.string() + " holds no certificate in PEM form.");
    auto* const raw = certificate.get();
    return CertificateFacts{
        .pin = pin_of(raw),
        .not_before = seconds_of(X509_get0_notBefore(raw)),
        .not_after = seconds_of(X509_get0_notAfter(raw)),
        .for_host = X509_check_host(raw, host.c_str(), host.size(), 0, nullptr) == 1 ||
                    X509_check_ip_asc(raw, host.c_str(), 0) == 1,
        .self_signed = (X509_get_extension_flags(raw) & EXFLAG_SS) != 0,
    };
}

std::expected<Reached, std::string> reach(const std::string& host, std::uint16_t port) {
    const auto socket = connect_to(host, port);
    if (!socket) return std::unexpected(socket.error());
    const Context context{SSL_CTX_new(TLS_client_method())};
    if (!context || SSL_CTX_set_min_proto_version(context.get(), TLS1_3_VERSION) != 1)
        return std::unexpected("TLS can't be set up");
    const Connection tls{SSL_new(context.get())};
    // SSL_set_tlsext_host_name without its macro, whose C cast GCC would warn about here.
    auto name = host;
    if (!tls || SSL_set_fd(tls.get(), socket->fd()) != 1 ||
        SSL_ctrl(tls.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name.data()) != 1 ||
        SSL_connect(tls.get()) != 1) {
        ERR_clear_error();
        return std::unexpected("there is no TLS 1.3 server");
    }
    const Certificate shown{SSL_get1_peer_certificate(tls.get())};
    if (!shown) return std::unexpected("it shows no certificate");
    Reached out{.pin = pin_of(shown.get())};
    const auto request = "GET /healthz HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n";
    std::string answer(64, '\0');
    if (SSL_write(tls.get(), request.data(), static_cast<int>(request.size())) > 0) {
        const int size = SSL_read(tls.get(), answer.data(), static_cast<int>(answer.size()));
        answer.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
        out.healthy = answer.starts_with("HTTP/1.1 200");
    }
    ERR_clear_error();
    return out;
}

}  // namespace sotto::keyserver
