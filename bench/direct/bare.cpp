#include "bare.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <thread>
#include <utility>

#include "sotto/crypto/bytes.hpp"

namespace sotto::bench {
namespace {

using Clock = std::chrono::steady_clock;

class Socket {
  public:
    explicit Socket(int fd) : fd_(fd) {
        if (fd < 0) throw std::runtime_error("no socket");
        const int yes = 1;
        ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
    }
    Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;
    Socket& operator=(Socket&&) = delete;
    ~Socket() {
        if (fd_ >= 0) ::close(fd_);
    }
    [[nodiscard]] int fd() const { return fd_; }
    void write(ByteView bytes) const {
        while (!bytes.empty()) {
            const auto sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent <= 0) throw std::runtime_error("a connection ended");
            bytes = bytes.subspan(static_cast<std::size_t>(sent));
        }
    }
    /// Something, at most as much as fits.
    [[nodiscard]] std::size_t read(std::span<std::byte> out) const {
        const auto got = ::recv(fd_, out.data(), out.size(), 0);
        return got < 0 ? 0 : static_cast<std::size_t>(got);
    }
    void read_all(std::span<std::byte> out) const {
        while (!out.empty()) {
            const auto got = read(out);
            if (got == 0) throw std::runtime_error("a connection ended");
            out = out.subspan(got);
        }
    }

  private:
    int fd_;
};

struct Pair {
    Socket near;
    Socket far;
};

[[nodiscard]] Pair connected() {
    const Socket listening{::socket(AF_INET, SOCK_STREAM, 0)};
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(where);
    auto* const address = reinterpret_cast<sockaddr*>(&where);
    if (::bind(listening.fd(), address, size) != 0 || ::listen(listening.fd(), 1) != 0 ||
        ::getsockname(listening.fd(), address, &size) != 0)
        throw std::runtime_error("nothing can listen");
    Socket near{::socket(AF_INET, SOCK_STREAM, 0)};
    if (::connect(near.fd(), address, size) != 0) throw std::runtime_error("no connection");
    return {std::move(near), Socket{::accept(listening.fd(), nullptr, nullptr)}};
}

}  // namespace

std::vector<double> bare_round_trips(std::size_t size, int count) {
    const auto pair = connected();
    const std::jthread echo{[&] {
        Bytes message(size);
        for (int i = 0; i < count; ++i) {
            pair.far.read_all(message);
            pair.far.write(message);
        }
    }};
    std::vector<double> out;
    Bytes message(size);
    for (int i = 0; i < count; ++i) {
        const auto begun = Clock::now();
        pair.near.write(message);
        pair.near.read_all(message);
        out.push_back(std::chrono::duration<double, std::micro>(Clock::now() - begun).count());
    }
    return out;
}

double bare_bulk(std::size_t total, std::size_t piece) {
    const auto pair = connected();
    const auto begun = Clock::now();
    const std::jthread sender{[&] {
        const Bytes message(piece, std::byte{7});
        for (std::size_t at = 0; at < total; at += piece)
            pair.far.write(ByteView{message}.first(std::min(piece, total - at)));
    }};
    Bytes buffer(piece);
    for (std::size_t got = 0; got < total;) {
        const auto some = pair.near.read(buffer);
        if (some == 0) throw std::runtime_error("a connection ended");
        got += some;
    }
    return static_cast<double>(total) / 1e6 / std::chrono::duration<double>(Clock::now() - begun).count();
}

}  // namespace sotto::bench
