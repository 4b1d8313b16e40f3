#include "stun_servers.hpp"

#include <arpa/inet.h>
#include <glib.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "sotto/crypto/codec.hpp"

namespace sotto::client::test {
namespace {

constexpr std::size_t header_size = 20;
constexpr std::uint32_t cookie = 0x2112A442;
constexpr std::uint16_t binding = 0x0001;
constexpr std::uint16_t success = 0x0100;
constexpr std::uint16_t failure = 0x0110;
constexpr std::uint16_t message_integrity = 0x0008;
constexpr std::uint16_t error_code = 0x0009;
constexpr std::uint16_t realm_attribute = 0x0014;
constexpr std::uint16_t nonce_attribute = 0x0015;
constexpr std::string_view realm = "a-realm";
constexpr std::uint16_t lifetime = 0x000D;
constexpr std::uint16_t xor_relayed_address = 0x0016;
constexpr std::uint16_t xor_mapped_address = 0x0020;
constexpr std::uint16_t a_port = 5000;

[[nodiscard]] std::uint16_t u16(ByteView bytes) {
    return static_cast<std::uint16_t>(std::to_integer<unsigned>(bytes[0]) << 8U |
                                      std::to_integer<unsigned>(bytes[1]));
}

void put_address(crypto::Writer& writer, std::uint16_t type, std::string_view address) {
    in_addr at{};
    ::inet_pton(AF_INET, std::string{address}.c_str(), &at);
    writer.u16(type);
    writer.u16(8);
    writer.u16(1);  // IPv4
    writer.u16(a_port ^ (cookie >> 16U));
    writer.u32(ntohl(at.s_addr) ^ cookie);
}

void put_text(crypto::Writer& writer, std::uint16_t type, std::string_view text) {
    writer.u16(type);
    writer.u16(static_cast<std::uint16_t>(text.size()));
    writer.raw(bytes_of(text));
    for (auto at = text.size(); at % 4 != 0; ++at) writer.u8(0);
}

[[nodiscard]] Bytes message(ByteView request, std::uint16_t kind, ByteView attributes, std::size_t more = 0) {
    Bytes out;
    crypto::Writer writer{out};
    writer.u16(static_cast<std::uint16_t>(u16(request) | kind));
    writer.u16(static_cast<std::uint16_t>(attributes.size() + more));
    writer.raw(request.subspan(4, 16));
    writer.raw(attributes);
    return out;
}

/// With the password that both know (RFC 8489 section 9.2).
[[nodiscard]] Bytes authentic(ByteView request, ByteView attributes) {
    constexpr std::size_t integrity_size = 24;
    auto out = message(request, success, attributes, integrity_size);
    const auto secret = std::string{turn_user} + ":" + std::string{realm} + ":" + std::string{turn_password};
    std::array<guint8, 16> key{};
    gsize size = key.size();
    GChecksum* const md5 = g_checksum_new(G_CHECKSUM_MD5);
    g_checksum_update(md5, reinterpret_cast<const guchar*>(secret.data()),
                      static_cast<gssize>(secret.size()));
    g_checksum_get_digest(md5, key.data(), &size);
    g_checksum_free(md5);
    std::array<guint8, integrity_size - 4> tag{};
    GHmac* const hmac = g_hmac_new(G_CHECKSUM_SHA1, key.data(), size);
    g_hmac_update(hmac, reinterpret_cast<const guchar*>(out.data()), static_cast<gssize>(out.size()));
    size = tag.size();
    g_hmac_get_digest(hmac, tag.data(), &size);
    g_hmac_unref(hmac);
    crypto::Writer writer{out};
    writer.u16(message_integrity);
    writer.u16(tag.size());
    writer.raw(std::as_bytes(std::span{tag}));
    return out;
}

/// The answer to a request that is whole.
[[nodiscard]] Bytes answer(ByteView request) {
    Bytes attributes;
    crypto::Writer writer{attributes};
    if (u16(request) == binding) {
        put_address(writer, xor_mapped_address, seen_address);
        return message(request, success, attributes);
    }
    if (chars_of(request).find(realm) == std::string_view::npos) {
        writer.u16(error_code);
        writer.u16(4);
        writer.u32(0x0401);
        put_text(writer, realm_attribute, realm);
        put_text(writer, nonce_attribute, "nonce");
        return message(request, failure, attributes);
    }
    put_address(writer, xor_mapped_address, seen_address);
    put_address(writer, xor_relayed_address, relay_address);
    writer.u16(lifetime);
    writer.u16(4);
    writer.u32(600);
    return authentic(request, attributes);
}

[[nodiscard]] std::uint16_t bind_here(int socket) {
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(where);
    auto* const address = reinterpret_cast<sockaddr*>(&where);
    if (::bind(socket, address, size) != 0 || ::getsockname(socket, address, &size) != 0)
        throw std::runtime_error("no port for a server");
    return ntohs(where.sin_port);
}

constexpr int glance_ms = 50;

}  // namespace

StunServer::StunServer(int passed_over)
    : passed_over_(passed_over), socket_(::socket(AF_INET, SOCK_DGRAM, 0)), port_(bind_here(socket_)) {
    thread_ = std::thread{[this] { run(); }};
}

StunServer::~StunServer() {
    stop_ = true;
    thread_.join();
    ::close(socket_);
}

void StunServer::run() {
    std::map<std::uint16_t, int> heard;  // of each client's port
    while (!stop_) {
        pollfd waiting{.fd = socket_, .events = POLLIN, .revents = 0};
        if (::poll(&waiting, 1, glance_ms) <= 0) continue;
        std::array<std::byte, 1500> packet{};
        sockaddr_in from{};
        socklen_t size = sizeof(from);
        auto* const address = reinterpret_cast<sockaddr*>(&from);
        const auto got = ::recvfrom(socket_, packet.data(), packet.size(), 0, address, &size);
        if (got < static_cast<ssize_t>(header_size)) continue;
        ++requests_;
        if (heard[from.sin_port]++ < passed_over_) continue;
        const auto out = answer(ByteView{packet}.first(static_cast<std::size_t>(got)));
        ::sendto(socket_, out.data(), out.size(), 0, address, size);
    }
}

TurnServer::TurnServer() : socket_(::socket(AF_INET, SOCK_STREAM, 0)), port_(bind_here(socket_)) {
    ::listen(socket_, 16);
    thread_ = std::thread{[this] { run(); }};
}

TurnServer::~TurnServer() {
    stop_ = true;
    thread_.join();
    ::close(socket_);
}

void TurnServer::run() {
    std::map<int, Bytes> clients;  // what each has sent and is not answered
    while (!stop_) {
        std::vector<pollfd> waiting{{.fd = socket_, .events = POLLIN, .revents = 0}};
        for (const auto& [client, bytes] : clients)
            waiting.push_back({.fd = client, .events = POLLIN, .revents = 0});
        if (::poll(waiting.data(), waiting.size(), glance_ms) <= 0) continue;
        for (const auto& each : waiting) {
            if (each.revents == 0) continue;
            if (each.fd == socket_) {
                clients.emplace(::accept(socket_, nullptr, nullptr), Bytes{});
                continue;
            }
            auto& bytes = clients[each.fd];
            std::array<std::byte, 1500> some{};
            const auto got = ::recv(each.fd, some.data(), some.size(), 0);
            if (got <= 0) {
                ::close(each.fd);
                clients.erase(each.fd);
                continue;
            }
            bytes.insert(bytes.end(), some.begin(), some.begin() + got);
            while (bytes.size() >= header_size) {
                const auto whole = header_size + u16(ByteView{bytes}.subspan(2));
                if (bytes.size() < whole) break;
                const auto out = answer(ByteView{bytes}.first(whole));
                ::send(each.fd, out.data(), out.size(), MSG_NOSIGNAL);
                bytes.erase(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(whole));
            }
        }
    }
    for (const auto& [client, bytes] : clients) ::close(client);
}

}  // namespace sotto::client::test
