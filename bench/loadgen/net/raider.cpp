#include "bench/loadgen/net/raider.hpp"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <new>

#include "bench/loadgen/net/upgrade.hpp"
#include "sotto/protocol/limits.hpp"

namespace sotto::loadgen {
namespace {

/// Longer than the server's deadlines one after the other: 10 s, 30 s and 3 s (docs/protocol.md
/// section 12.6).
constexpr std::chrono::seconds longest_stay{60};
/// In which a server that won't have this address can say so.
constexpr std::chrono::milliseconds hesitation{100};
constexpr std::chrono::seconds between_bytes{1};

[[nodiscard]] int open_socket(const Destination& to, std::optional<std::uint32_t> source) {
    const int fd = ::socket(to.address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    bool started = true;
    if (source) {
        ::setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
        const sockaddr_in from{
            .sin_family = AF_INET, .sin_port = 0, .sin_addr = {htonl(*source)}, .sin_zero = {}};
        started = ::bind(fd, reinterpret_cast<const sockaddr*>(&from), sizeof(from)) == 0;
    }
    started =
        started && (::connect(fd, reinterpret_cast<const sockaddr*>(&to.address), to.address_size) == 0 ||
                    errno == EINPROGRESS);
    if (started) return fd;
    ::close(fd);
    return -1;
}

}  // namespace

std::string client_hello(SSL_CTX* tls) {
    const std::unique_ptr<SSL, void (*)(SSL*)> ssl{SSL_new(tls), &SSL_free};
    BIO* const in = BIO_new(BIO_s_mem());
    BIO* const out = BIO_new(BIO_s_mem());
    if (!ssl || in == nullptr || out == nullptr) throw std::bad_alloc{};
    SSL_set_bio(ssl.get(), in, out);
    SSL_set_connect_state(ssl.get());
    SSL_do_handshake(ssl.get());
    ERR_clear_error();
    std::string hello(BIO_ctrl_pending(out), '\0');
    BIO_read(out, hello.data(), static_cast<int>(hello.size()));
    return hello;
}

Raider::Raider(Loop& loop, const Destination& to, std::optional<std::uint32_t> source, Plan plan, Ended ended)
    : loop_(loop),
      to_(to),
      plan_(std::move(plan)),
      ended_(std::move(ended)),
      timer_(loop),
      patience_(loop),
      fd_(open_socket(to, source)) {
    // Nobody expects an event before the constructor has returned.
    if (fd_ < 0) {
        timer_.set(Clock::now(), [this] { end(Fate::failed); });
        return;
    }
    loop_.add(fd_, wanted_ = EPOLLOUT, *this);
    patience_.set(Clock::now() + longest_stay, [this] { end(Fate::outlasted); });
}

Raider::~Raider() {
    SSL_free(ssl_);
    if (fd_ >= 0) ::close(fd_);
}

void Raider::end(Fate fate) {
    if (state_ == State::over) return;
    state_ = State::over;
    timer_.cancel();
    patience_.cancel();
    if (fd_ >= 0) loop_.remove(fd_);
    SSL_free(ssl_);
    ssl_ = nullptr;
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
    ended_(*this, fate);
}

void Raider::want(std::uint32_t events) {
    if (state_ == State::over || wanted_ == events) return;
    loop_.modify(fd_, events, *this);
    wanted_ = events;
}

void Raider::on_events(std::uint32_t events) {
    switch (state_) {
        case State::connecting:
            return connected();
        case State::securing:
            return secure();
        case State::hesitating:
        case State::upgrading:
        case State::acting:
            if ((events & ~EPOLLOUT) != 0) listen();
            if ((events & EPOLLOUT) != 0 && state_ == State::acting) act();
            return;
        case State::over:
            return;
    }
}

void Raider::flush() {}  // it writes at once

// ---- honest as yet ----

void Raider::connected() {
    int error = 0;
    socklen_t size = sizeof(error);
    if (::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
    if (error != 0) return ended_by_server();
    if (plan_.depth == Depth::tcp) {
        state_ = State::hesitating;
        want(EPOLLIN);
        return timer_.set(Clock::now() + hesitation, [this] { begin(); });
    }
    ssl_ = SSL_new(to_.tls);
    if (ssl_ == nullptr || SSL_set_fd(ssl_, fd_) != 1) throw std::bad_alloc{};
    SSL_set_connect_state(ssl_);
    state_ = State::securing;
    secure();
}

void Raider::secure() {
    ERR_clear_error();
    const int result = SSL_do_handshake(ssl_);
    if (result != 1) {
        const int error = SSL_get_error(ssl_, result);
        if (error == SSL_ERROR_WANT_READ) return want(EPOLLIN);
        if (error == SSL_ERROR_WANT_WRITE) return want(EPOLLOUT);
        return ended_by_server();
    }
    want(EPOLLIN);
    if (plan_.depth == Depth::websocket) return ask_upgrade();
    begin();
}

void Raider::ask_upgrade() {
    state_ = State::upgrading;
    bool retry = false;
    const auto request = upgrade_request(to_.host, protocol::delivery_target, upgrade_key(*to_.rng));
    // A socket that nothing was written to but the handshake takes this.
    if (write(request, retry) != static_cast<int>(request.size())) ended_by_server();
}

// ---- and no longer ----

void Raider::begin() {
    state_ = State::acting;
    begun_ = plan_.after != After::leave_when_answered;
    act();
}

void Raider::act() {
    while (written_ < plan_.bytes.size()) {
        bool retry = false;
        const auto rest = std::string_view{plan_.bytes}.substr(written_);
        const int size = write(plan_.slow ? rest.substr(0, 1) : rest, retry);
        if (size <= 0) return retry ? want(EPOLLIN | EPOLLOUT) : ended_by_server();
        written_ += static_cast<std::size_t>(size);
        if (plan_.slow && written_ < plan_.bytes.size()) {
            want(EPOLLIN);
            return timer_.set(Clock::now() + between_bytes, [this] { act(); });
        }
    }
    acted();
}

void Raider::acted() {
    want(EPOLLIN);
    if (plan_.after == After::leave) return end(Fate::left);
    if (plan_.after == After::end_writing) ::shutdown(fd_, SHUT_WR);
}

/// What comes is only looked at while it is honest.
void Raider::listen() {
    std::array<char, 4096> buffer;
    for (;;) {
        bool retry = false;
        const int size = read(buffer, retry);
        if (size <= 0 && retry) return;
        if (size <= 0) return ended_by_server();
        if (state_ == State::acting && plan_.after == After::leave_when_answered) return end(Fate::left);
        if (state_ != State::upgrading) continue;
        answer_.append(buffer.data(), static_cast<std::size_t>(size));
        if (answer_.find("\r\n\r\n") == std::string::npos) continue;
        if (!answer_.starts_with("HTTP/1.1 101 ")) return end(Fate::refused);
        begin();
        if (state_ == State::over) return;
    }
}

int Raider::read(std::span<char> into, bool& retry) {
    if (ssl_ == nullptr) {
        const auto size = ::recv(fd_, into.data(), into.size(), 0);
        retry = size < 0 && (errno == EAGAIN || errno == EINTR);
        return static_cast<int>(size);
    }
    ERR_clear_error();
    const int size = SSL_read(ssl_, into.data(), static_cast<int>(into.size()));
    const int error = SSL_get_error(ssl_, size);
    retry = size <= 0 && (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE);
    return size;
}

int Raider::write(std::string_view bytes, bool& retry) {
    if (ssl_ == nullptr) {
        const auto size = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        retry = size < 0 && (errno == EAGAIN || errno == EINTR);
        return static_cast<int>(size);
    }
    ERR_clear_error();
    const int size = SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size()));
    const int error = SSL_get_error(ssl_, size);
    retry = size <= 0 && (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE);
    return size;
}

}  // namespace sotto::loadgen
