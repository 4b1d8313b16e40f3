#include "tls_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <stdexcept>

namespace sotto::test {
namespace {

bool write_all(SSL* ssl, std::string_view text) {
    std::size_t written = 0;
    while (!text.empty()) {
        if (SSL_write_ex(ssl, text.data(), text.size(), &written) != 1) return false;
        text.remove_prefix(written);
    }
    return true;
}

bool read_all(SSL* ssl, char* into, std::size_t size) {
    std::size_t got = 0;
    while (size > 0) {
        if (SSL_read_ex(ssl, into, size, &got) != 1) return false;
        into += got;
        size -= got;
    }
    return true;
}

std::string read_request(SSL* ssl) {
    std::string request;
    char c = 0;
    while (!request.ends_with("\r\n\r\n"))
        if (!read_all(ssl, &c, 1))
            return {};
        else
            request.push_back(c);
    return request;
}

std::string accept_of(const std::string& request) {
    const std::string field = "Sec-WebSocket-Key: ";
    const auto begin = request.find(field) + field.size();
    const auto key =
        request.substr(begin, request.find("\r\n", begin) - begin) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    std::array<unsigned char, 20> digest{};
    SHA1(reinterpret_cast<const unsigned char*>(key.data()), key.size(), digest.data());
    std::array<unsigned char, 40> text{};
    EVP_EncodeBlock(text.data(), digest.data(), digest.size());
    return reinterpret_cast<const char*>(text.data());
}

/// RFC 6455 section 5.2, from a server: final, not masked.
std::string header(int opcode, std::uint64_t size) {
    std::string result(1, static_cast<char>(0x80 | opcode));
    int bytes = 0;
    if (size < 126) {
        result.push_back(static_cast<char>(size));
    } else {
        bytes = size < 65536 ? 2 : 8;
        result.push_back(static_cast<char>(bytes == 2 ? 126 : 127));
    }
    for (int i = bytes - 1; i >= 0; --i) result.push_back(static_cast<char>(size >> (8 * i)));
    return result;
}

struct Frame {
    int opcode = 8;
    std::string payload;
};

bool read_frame(SSL* ssl, Frame& frame) {
    std::array<char, 14> h{};
    if (!read_all(ssl, h.data(), 2)) return false;
    frame.opcode = h[0] & 0x0f;
    std::uint64_t size = static_cast<unsigned char>(h[1]) & 0x7fU;
    std::size_t extra = 0;
    if (size == 126) extra = 2;
    if (size == 127) extra = 8;
    if (!read_all(ssl, h.data() + 2, extra + 4)) return false;
    if (extra > 0) size = 0;
    for (std::size_t i = 0; i < extra; ++i) size = size << 8 | static_cast<unsigned char>(h[2 + i]);
    frame.payload.resize(size);
    if (!read_all(ssl, frame.payload.data(), size)) return false;
    for (std::size_t i = 0; i < size; ++i)
        frame.payload[i] = static_cast<char>(frame.payload[i] ^ h[2 + extra + i % 4]);
    return true;
}

}  // namespace

TlsServer::TlsServer(Certificate certificate, ServerOptions options)
    : certificate_(std::move(certificate)),
      options_(std::move(options)),
      context_(SSL_CTX_new(TLS_server_method())),
      listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    static_cast<void>(::signal(SIGPIPE, SIG_IGN));
    SSL_CTX_set_max_proto_version(context_, options_.newest_tls);
    SSL_CTX_use_certificate(context_, certificate_.x509.get());
    SSL_CTX_use_PrivateKey(context_, certificate_.key.get());
    if (listener_ < 0) throw std::runtime_error("socket");
    sockaddr_in address{};
    address.sin_family = AF_INET;
    ::inet_pton(AF_INET, options_.address.c_str(), &address.sin_addr);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener_, generic, size) != 0 || ::listen(listener_, 16) != 0 ||
        ::getsockname(listener_, generic, &size) != 0)
        throw std::runtime_error("listen");
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread{[this] { accept(); }};
}

TlsServer::~TlsServer() {
    stop_ = true;
    ::shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    {
        const std::scoped_lock lock{mutex_};
        for (const int fd : open_) ::shutdown(fd, SHUT_RDWR);
    }
    for (auto& worker : workers_) worker.join();
    ::close(listener_);
    SSL_CTX_free(context_);
}

std::vector<std::string> TlsServer::requests() const {
    const std::scoped_lock lock{mutex_};
    return requests_;
}

std::string TlsServer::server_name_indicated() const {
    const std::scoped_lock lock{mutex_};
    return indicated_;
}

void TlsServer::accept() {
    while (!stop_) {
        const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (fd < 0) continue;
        const std::scoped_lock lock{mutex_};
        open_.push_back(fd);
        workers_.emplace_back([this, fd] {
            serve(fd);
            const std::scoped_lock done{mutex_};
            std::erase(open_, fd);
            ::close(fd);
        });
    }
}

void TlsServer::serve(int fd) {
    if (options_.behaviour == Behaviour::hang_up) return;
    std::array<char, 512> ignored{};
    if (options_.behaviour == Behaviour::plain_http) {
        const std::string_view answer = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";
        static_cast<void>(!::read(fd, ignored.data(), ignored.size()));
        static_cast<void>(!::write(fd, answer.data(), answer.size()));
        return;
    }
    if (options_.behaviour == Behaviour::silent) {
        while (::read(fd, ignored.data(), ignored.size()) > 0) {
        }
        return;
    }
    const std::unique_ptr<SSL, decltype(&SSL_free)> ssl{SSL_new(context_), &SSL_free};
    SSL_set_fd(ssl.get(), fd);
    if (SSL_accept(ssl.get()) == 1) {
        ++handshakes_;
        if (SSL_session_reused(ssl.get()) == 1) ++resumed_;
        websocket(ssl.get());
    }
}

void TlsServer::websocket(SSL* ssl) {
    const auto request = read_request(ssl);
    if (request.empty()) return;
    {
        const std::scoped_lock lock{mutex_};
        requests_.push_back(request);
        const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
        indicated_ = name == nullptr ? "" : name;
    }
    char byte = 0;
    if (options_.behaviour == Behaviour::mute_upgrade) {
        read_all(ssl, &byte, 1);
        return;
    }
    if (options_.behaviour == Behaviour::no_upgrade || options_.behaviour == Behaviour::busy) {
        const std::string status = options_.behaviour == Behaviour::busy ? "503 Busy" : "404 Not Found";
        write_all(ssl, "HTTP/1.1 " + status + "\r\nContent-Length: 0\r\n\r\n");
        return;
    }
    write_all(ssl,
              "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
              "Sec-WebSocket-Accept: " +
                  accept_of(request) + "\r\n\r\n");
    switch (options_.behaviour) {
        case Behaviour::half_a_frame:
            write_all(ssl, header(2, 1000) + std::string(500, 'x'));
            return;
        case Behaviour::text_frame:
            write_all(ssl, header(1, 2) + "hi");
            read_all(ssl, &byte, 1);
            return;
        case Behaviour::oversized:
            write_all(ssl, header(2, 1ULL << 40) + std::string(1000, 'x'));
            while (read_all(ssl, &byte, 1)) {
            }
            return;
        case Behaviour::flood:
            for (int i = 0; i < 64; ++i)
                if (!write_all(ssl,
                               header(2, 256UL * 1024) + std::string(256UL * 1024, static_cast<char>(i))))
                    return;
            echo(ssl);
            return;
        case Behaviour::deaf:
            while (!stop_) std::this_thread::sleep_for(std::chrono::milliseconds{20});
            return;
        default:
            echo(ssl);
            return;
    }
}

void TlsServer::echo(SSL* ssl) {
    if (options_.behaviour == Behaviour::echo) {
        std::array<unsigned char, 32> exporter{};
        const std::string label = "EXPORTER-Channel-Binding";
        SSL_export_keying_material(ssl, exporter.data(), exporter.size(), label.data(), label.size(), nullptr,
                                   0, 0);
        write_all(ssl, header(2, exporter.size()) + std::string{exporter.begin(), exporter.end()});
    }
    Frame frame;
    while (read_frame(ssl, frame)) {
        if (frame.opcode == 8) ++close_frames_;
        if (!write_all(ssl,
                       header(frame.opcode == 9 ? 10 : frame.opcode, frame.payload.size()) + frame.payload))
            return;
        if (frame.opcode == 8) return;
    }
}

}  // namespace sotto::test
