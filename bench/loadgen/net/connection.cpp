#include "bench/loadgen/net/connection.hpp"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <new>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "bench/loadgen/net/upgrade.hpp"
#include "client/net/tls.hpp"

namespace sotto::loadgen {
namespace {

constexpr std::size_t most_in_answer = 16UL * 1024;
constexpr std::size_t kept_out = 4096;
constexpr std::size_t most_in_message = 1024UL * 1024;

[[nodiscard]] std::string system_error() {
    return std::generic_category().message(errno);
}

void set(int fd, int level, int option) {
    const int on = 1;
    ::setsockopt(fd, level, option, &on, sizeof(on));
}

}  // namespace

Connection::Connection(Loop& loop, const Destination& to, std::optional<std::uint32_t> source,
                       const char* target, Events& events)
    : loop_(loop), to_(to), events_(events), target_(target) {
    fd_ = ::socket(to.address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    bool started = fd_ >= 0;
    if (started) set(fd_, IPPROTO_TCP, TCP_NODELAY);
    if (started && source) {
        // The port is chosen by connect(), so that each pair of addresses has all of them.
        set(fd_, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT);
        const sockaddr_in from{
            .sin_family = AF_INET, .sin_port = 0, .sin_addr = {htonl(*source)}, .sin_zero = {}};
        started = ::bind(fd_, reinterpret_cast<const sockaddr*>(&from), sizeof(from)) == 0;
    }
    started =
        started && (::connect(fd_, reinterpret_cast<const sockaddr*>(&to.address), to.address_size) == 0 ||
                    errno == EINPROGRESS);
    if (!started) {
        // Nobody expects an event before the constructor has returned.
        in_ = system_error();
        unflushed_ = true;
        loop_.flush_later(*this);
        return;
    }
    loop_.add(fd_, wanted_ = EPOLLOUT, *this);
    registered_ = true;
}

Connection::~Connection() {
    drop();
}

void Connection::drop() {
    state_ = State::dead;
    if (registered_) loop_.remove(fd_);
    registered_ = false;
    if (frames_ != nullptr) wslay_frame_context_free(frames_);
    frames_ = nullptr;
    SSL_free(ssl_);
    ssl_ = nullptr;
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
}

void Connection::fail(std::string why, std::chrono::milliseconds retry_after) {
    if (state_ == State::dead) return;
    drop();
    events_.ended({.why = std::move(why), .retry_after = retry_after});
}

void Connection::want(std::uint32_t events) {
    if (wanted_ == events) return;
    loop_.modify(fd_, events, *this);
    wanted_ = events;
}

void Connection::on_events(std::uint32_t events) {
    drained_ = false;
    switch (state_) {
        case State::connecting:
            return connected();
        case State::securing:
            return secure();
        case State::upgrading:
            if ((events & EPOLLOUT) != 0) flush();
            if ((events & ~EPOLLOUT) != 0 && state_ == State::upgrading) read_upgrade();
            return;
        case State::open:
        case State::closing:
            if ((events & EPOLLOUT) != 0) flush();
            if (deaf_ && (events & ~EPOLLOUT) != 0) return fail("the server has closed the connection");
            if ((events & ~EPOLLOUT) != 0) read_frames();
            return;
        case State::dead:
            return;
    }
}

// ---- coming ----

void Connection::connected() {
    int error = 0;
    socklen_t size = sizeof(error);
    if (::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
    if (error != 0) return fail("connect: " + std::generic_category().message(error));
    ssl_ = SSL_new(to_.tls);
    if (ssl_ == nullptr || SSL_set_fd(ssl_, fd_) != 1) throw std::bad_alloc{};
    SSL_set_connect_state(ssl_);
    state_ = State::securing;
    secure();
}

void Connection::secure() {
    ERR_clear_error();
    const int result = SSL_do_handshake(ssl_);
    if (result == 1) return ask_upgrade();
    switch (SSL_get_error(ssl_, result)) {
        case SSL_ERROR_WANT_READ:
            return want(EPOLLIN);
        case SSL_ERROR_WANT_WRITE:
            return want(EPOLLOUT);
        default:
            return fail(tls_error(result, "TLS"));
    }
}

void Connection::ask_upgrade() {
    state_ = State::upgrading;
    key_ = upgrade_key(*to_.rng);
    out_ = upgrade_request(to_.host, target_, key_);
    want(EPOLLIN);
    flush();
}

void Connection::read_upgrade() {
    std::array<std::uint8_t, 4096> buffer;
    while (const int size = pull(buffer.data(), buffer.size())) {
        in_.append(reinterpret_cast<const char*>(buffer.data()), static_cast<std::size_t>(size));
        if (in_.size() > most_in_answer) return fail("upgrade: the answer is too long");
    }
    const auto answer = read_upgrade_answer(in_, key_);
    if (!answer && !broken_.empty()) return fail("upgrade: " + broken_);
    if (!answer) return;
    if (!answer->accepted) return fail("upgrade: " + answer->why, answer->retry_after);
    in_.erase(0, answer->size);
    key_.clear();
    const wslay_frame_callbacks callbacks{
        .send_callback = &on_write, .recv_callback = &on_read, .genmask_callback = &on_mask};
    if (wslay_frame_context_init(&frames_, &callbacks, this) != 0) throw std::bad_alloc{};
    state_ = State::open;
    events_.opened();
    read_frames();
}

Array<32> Connection::exporter() const {
    return client::net::channel_binding(ssl_);
}

// ---- reading ----

int Connection::pull(std::uint8_t* into, std::size_t size) {
    if (drained_) return 0;
    ERR_clear_error();
    const int got = SSL_read(ssl_, into, static_cast<int>(size));
    // Less than asked for, and OpenSSL holds nothing back: the next call would only hear that there is no
    // more.
    drained_ = got <= 0 || (std::cmp_less(got, size) && SSL_has_pending(ssl_) == 0);
    if (got > 0) return got;
    const int error = SSL_get_error(ssl_, got);
    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)
        broken_ = error == SSL_ERROR_ZERO_RETURN ? "the server has closed the connection"
                                                 : tls_error(got, "reading");
    return 0;
}

ssize_t Connection::on_read(std::uint8_t* into, std::size_t size, int /*flags*/, void* self) {
    auto& connection = *static_cast<Connection*>(self);
    if (connection.in_.empty()) return connection.pull(into, size);
    const auto part = std::min(size, connection.in_.size());
    std::copy_n(connection.in_.begin(), part, into);
    connection.in_.erase(0, part);
    if (connection.in_.empty()) connection.in_.shrink_to_fit();
    return static_cast<ssize_t>(part);
}

void Connection::read_frames() {
    while (state_ == State::open || state_ == State::closing) {
        wslay_frame_iocb part{};
        const auto got = wslay_frame_recv(frames_, &part);
        if (got == WSLAY_ERR_WANT_READ) {
            if (!broken_.empty()) fail(std::move(broken_));
            return;
        }
        if (got < 0) return fail("WebSocket: the server's frame is out of shape");
        take(part);
    }
}

void Connection::take(const wslay_frame_iocb& part) {
    if (frame_left_ == 0) frame_left_ = part.payload_length;
    frame_left_ -= part.data_length;
    const std::string_view data{reinterpret_cast<const char*>(part.data), part.data_length};
    const bool frame_done = frame_left_ == 0;
    if (wslay_is_ctrl_frame(part.opcode) != 0) {
        control_.append(data);
        if (frame_done) control(part.opcode, std::exchange(control_, {}));
        return;
    }
    const bool whole = frame_done && part.fin != 0;
    if (whole && message_.empty()) return events_.received(data);
    if (message_.size() + data.size() > most_in_message)
        return fail("WebSocket: the server's message is too long");
    message_.append(data);
    if (whole) events_.received(std::exchange(message_, {}));
}

void Connection::control(std::uint8_t opcode, std::string_view payload) {
    if (opcode == WSLAY_PING) return queue(WSLAY_PONG, payload);
    if (opcode != WSLAY_CONNECTION_CLOSE) return;
    if (state_ == State::open) queue(WSLAY_CONNECTION_CLOSE, payload.substr(0, 2));
    flush();
    std::string why = "closed";
    if (payload.size() >= 2) {
        const auto code = static_cast<unsigned>(static_cast<unsigned char>(payload[0])) << 8U |
                          static_cast<unsigned char>(payload[1]);
        why = "closed by the server, code " + std::to_string(code);
    }
    fail(std::move(why));
}

// ---- writing ----

ssize_t Connection::on_write(const std::uint8_t* data, std::size_t size, int /*flags*/, void* self) {
    static_cast<Connection*>(self)->out_.append(reinterpret_cast<const char*>(data), size);
    return static_cast<ssize_t>(size);
}

int Connection::on_mask(std::uint8_t* into, std::size_t size, void* self) {
    static_cast<Connection*>(self)->to_.rng->fill(std::as_writable_bytes(std::span{into, size}));
    return 0;
}

void Connection::queue(std::uint8_t opcode, std::string_view payload) {
    if (state_ != State::open && state_ != State::closing) return;
    wslay_frame_iocb frame{.fin = 1,
                           .rsv = WSLAY_RSV_NONE,
                           .opcode = opcode,
                           .payload_length = payload.size(),
                           .mask = 1,
                           .data = reinterpret_cast<const std::uint8_t*>(payload.data()),
                           .data_length = payload.size()};
    // Everything is taken: on_write() only appends to a string.
    if (std::cmp_not_equal(wslay_frame_send(frames_, &frame), payload.size()))
        throw std::logic_error("a frame was not made");
    if (unflushed_) return;
    unflushed_ = true;
    loop_.flush_later(*this);
}

void Connection::flush() {
    unflushed_ = false;
    if (state_ == State::connecting && !registered_) return fail(std::move(in_));
    if (state_ == State::dead || ssl_ == nullptr) return;
    std::size_t written = 0;
    while (written < out_.size()) {
        ERR_clear_error();
        const int size = SSL_write(ssl_, out_.data() + written, static_cast<int>(out_.size() - written));
        if (size <= 0) {
            const int error = SSL_get_error(ssl_, size);
            if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)
                return fail(tls_error(size, "writing"));
            break;
        }
        written += static_cast<std::size_t>(size);
    }
    out_.erase(0, written);
    if (out_.empty() && out_.capacity() > kept_out) out_.shrink_to_fit();
    const std::uint32_t coming = deaf_ ? EPOLLRDHUP : EPOLLIN;
    want(out_.empty() ? coming : coming | EPOLLOUT);
}

void Connection::deafen() {
    if (state_ != State::open) return;
    deaf_ = true;
    // What the kernel would take in our stead is to wait at the server.
    const int least = 1;
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &least, sizeof(least));
    want(EPOLLRDHUP);
}

void Connection::close() {
    if (state_ != State::open) return fail("left");
    constexpr std::string_view normal{"\x03\xe8", 2};  // 1000
    queue(WSLAY_CONNECTION_CLOSE, normal);
    state_ = State::closing;
}

std::string Connection::tls_error(int result, const char* doing) {
    const int saved = errno;
    const int error = SSL_get_error(ssl_, result);
    const auto code = ERR_peek_error();
    std::string why{doing};
    if (error == SSL_ERROR_SSL && code != 0) {
        std::array<char, 256> text{};
        ERR_error_string_n(code, text.data(), text.size());
        return why + ": " + text.data();
    }
    if (error == SSL_ERROR_SYSCALL && saved != 0) return why + ": " + std::generic_category().message(saved);
    return why + ": the server has gone";
}

}  // namespace sotto::loadgen
