#include "keyserver_net/tls_peer.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <csignal>

#include "sotto/crypto/hash.hpp"

namespace sotto::keyserver::test {
namespace {

constexpr time_t patience_s = 40;

int connect_to(std::uint16_t port, int receive_buffer) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const timeval patience{.tv_sec = patience_s, .tv_usec = 0};
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (receive_buffer != 0) ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0) return fd;
    ::close(fd);
    return -1;
}

}  // namespace

void TlsPeer::Free::operator()(ssl_st* ssl) const noexcept {
    const int fd = SSL_get_fd(ssl);
    SSL_free(ssl);
    if (fd >= 0) ::close(fd);
}
void TlsPeer::Free::operator()(ssl_ctx_st* context) const noexcept {
    SSL_CTX_free(context);
}

TlsPeer::TlsPeer(std::uint16_t port, Tls version, int receive_buffer)
    : context_(SSL_CTX_new(TLS_client_method())) {
    std::signal(SIGPIPE, SIG_IGN);
    if (version == Tls::v1_2) SSL_CTX_set_max_proto_version(context_.get(), TLS1_2_VERSION);
    ssl_.reset(SSL_new(context_.get()));
    const int fd = connect_to(port, receive_buffer);
    if (fd < 0) return;
    SSL_set_fd(ssl_.get(), fd);
    connected_ = SSL_connect(ssl_.get()) == 1;
    ERR_clear_error();
}

std::string TlsPeer::version() const {
    return SSL_get_version(ssl_.get());
}

protocol::Pin TlsPeer::pin() const {
    const std::unique_ptr<X509, decltype([](X509* c) { X509_free(c); })> certificate{
        SSL_get1_peer_certificate(ssl_.get())};
    unsigned char* der = nullptr;
    const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate.get()), &der);
    const auto out = crypto::sha256(std::as_bytes(std::span{der, static_cast<std::size_t>(size)}));
    OPENSSL_free(der);
    return out;
}

Array<32> TlsPeer::exporter() const {
    Array<32> out{};
    constexpr std::string_view label = protocol::exporter_label;
    EXPECT_EQ(SSL_export_keying_material(ssl_.get(), reinterpret_cast<unsigned char*>(out.data()), out.size(),
                                         label.data(), label.size(), nullptr, 0, 0),
              1);
    return out;
}

bool TlsPeer::resumable() const {
    const auto* const session = SSL_get0_session(ssl_.get());
    return session != nullptr && SSL_SESSION_is_resumable(session) == 1;
}

bool TlsPeer::update_keys() {
    const bool done = connected_ && SSL_key_update(ssl_.get(), SSL_KEY_UPDATE_REQUESTED) == 1 &&
                      SSL_do_handshake(ssl_.get()) == 1;
    ERR_clear_error();
    return done;
}

bool TlsPeer::write(std::string_view bytes) {
    if (!connected_) return false;
    std::size_t written = 0;
    const bool done = SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &written) == 1;
    ERR_clear_error();
    return done && written == bytes.size();
}

std::optional<std::string> TlsPeer::read(std::size_t most) {
    if (!connected_) return std::nullopt;
    std::string out(most, '\0');
    std::size_t size = 0;
    const bool done = SSL_read_ex(ssl_.get(), out.data(), out.size(), &size) == 1;
    ERR_clear_error();
    if (!done) return std::nullopt;
    out.resize(size);
    return out;
}

std::string TlsPeer::http(std::string_view request) {
    std::string out;
    if (!write(request)) return out;
    while (const auto more = read()) out += *more;
    return out;
}

bool TlsPeer::wait_for_end() {
    while (connected_) {
        std::string out(16'384, '\0');
        std::size_t size = 0;
        if (SSL_read_ex(ssl_.get(), out.data(), out.size(), &size) == 1) continue;
        const int why = SSL_get_error(ssl_.get(), 0);
        ERR_clear_error();
        return why != SSL_ERROR_WANT_READ &&
               !(why == SSL_ERROR_SYSCALL && (errno == EAGAIN || errno == EWOULDBLOCK));
    }
    return true;
}

void TlsPeer::cut() {
    if (ssl_ && SSL_get_fd(ssl_.get()) >= 0) ::shutdown(SSL_get_fd(ssl_.get()), SHUT_RDWR);
    connected_ = false;
}

bool TlsPeer::upgrade(std::string_view target) {
    const bool sent = write("GET " + std::string{target} +
                            " HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
                            "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n");
    if (!sent) return false;
    while (buffer_.find("\r\n\r\n") == std::string::npos) {
        const auto more = read();
        if (!more) return false;
        buffer_ += *more;
    }
    const auto end = buffer_.find("\r\n\r\n") + 4;
    const auto head = buffer_.substr(0, end);
    buffer_.erase(0, end);
    EXPECT_EQ(head.find("permessage-deflate"), std::string::npos);
    return head.starts_with("HTTP/1.1 101");
}

std::string TlsPeer::frame(unsigned first_byte, std::string_view payload, bool masked) {
    std::string frame(1, static_cast<char>(first_byte));
    const auto mask_bit = masked ? 0x80U : 0U;
    if (payload.size() < 126) {
        frame += static_cast<char>(mask_bit | payload.size());
    } else if (payload.size() < 65'536) {
        frame += static_cast<char>(mask_bit | 126U);
        frame += static_cast<char>(payload.size() >> 8U);
        frame += static_cast<char>(payload.size());
    } else {
        frame += static_cast<char>(mask_bit | 127U);
        for (int shift = 56; shift >= 0; shift -= 8)
            frame += static_cast<char>(payload.size() >> static_cast<unsigned>(shift));
    }
    if (masked) frame += std::string(4, '\0');  // a mask of zeros changes nothing
    frame += payload;
    return frame;
}

bool TlsPeer::send_frame(unsigned first_byte, std::string_view payload, bool masked) {
    return write(frame(first_byte, payload, masked));
}

bool TlsPeer::send(const wire::Request& request) {
    return send_frame(0x82, request.SerializeAsString());
}

bool TlsPeer::fill(std::size_t size) {
    while (buffer_.size() < size) {
        const auto more = read();
        if (!more) return false;
        buffer_ += *more;
    }
    return true;
}

std::optional<wire::Reply> TlsPeer::receive() {
    while (fill(2)) {
        const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(buffer_.at(at)); };
        const unsigned opcode = byte(0) & 0x0fU;
        std::size_t length = byte(1) & 0x7fU;
        std::size_t head = 2;
        if (length >= 126) {
            const std::size_t bytes = length == 126 ? 2 : 8;
            if (!fill(head + bytes)) return std::nullopt;
            length = 0;
            for (std::size_t i = 0; i < bytes; ++i) length = length << 8U | byte(head + i);
            head += bytes;
        }
        if (!fill(head + length)) return std::nullopt;
        const auto payload = buffer_.substr(head, length);
        buffer_.erase(0, head + length);
        if (opcode == 9) {
            send_frame(0x8a, payload);
        } else if (opcode == 8) {
            if (payload.size() >= 2)
                close_code_ =
                    static_cast<unsigned char>(payload[0]) * 256U + static_cast<unsigned char>(payload[1]);
            send_frame(0x88, payload);
            return std::nullopt;
        } else if (opcode == 2) {
            wire::Reply reply;
            EXPECT_TRUE(reply.ParseFromString(payload));
            return reply;
        }
    }
    return std::nullopt;
}

wire::Reply TlsPeer::ask(wire::Request request) {
    request.set_id(next_request_++);
    EXPECT_TRUE(send(request));
    while (auto reply = receive()) {
        if (reply->id() == request.id()) return *reply;
        pushes_.push_back(*reply);
    }
    return {};
}

std::optional<wire::Reply> TlsPeer::push() {
    return pushes_.empty() ? receive() : pushed();
}

std::optional<wire::Reply> TlsPeer::pushed() {
    if (pushes_.empty()) return std::nullopt;
    auto first = pushes_.front();
    pushes_.erase(pushes_.begin());
    return first;
}

bool TlsPeer::open(std::string_view target) {
    if (!upgrade(target)) return false;
    const auto first = receive();
    if (!first || !first->has_hello()) return false;
    hello_ = first->hello();
    return true;
}

std::string TlsPeer::proof(const TestDevice& device, crypto::LoginPurpose purpose,
                           const std::string& server) const {
    Array<32> nonce{};
    std::ranges::copy(bytes_of(hello_.nonce()), nonce.begin());
    return device.proof(purpose, nonce, exporter(), server);
}

}  // namespace sotto::keyserver::test
