#include "keyserver/net/shard.hpp"

#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <pthread.h>

#include <boost/asio/detail/socket_option.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <csignal>

#include "keyserver/net/connection.hpp"

namespace sotto::keyserver {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using Error = boost::system::error_code;
template <int Level, int Name>
using Flag = asio::detail::socket_option::boolean<Level, Name>;
template <int Name>
using TcpNumber = asio::detail::socket_option::integer<IPPROTO_TCP, Name>;

constexpr std::uint64_t tick_ms = 250;
constexpr auto accept_pause = std::chrono::milliseconds{100};
constexpr auto held_for = std::chrono::milliseconds{100};
constexpr int backlog = 65'535;  // the kernel's own bound (net.core.somaxconn) is lower as a rule
constexpr std::size_t read_at_once = 16UL * 1024;  // what one TLS record holds

// A peer that is no longer there is found by the kernel, which costs no processor time while all is well.
constexpr int keep_alive_after_s = 120;
constexpr int keep_alive_every_s = 15;
constexpr int keep_alive_tries = 4;
constexpr int unacknowledged_ms = 60'000;
// The kernel's own bound is megabytes, which peers that don't read could each have filled.
constexpr int kernel_send_bytes = 256 * 1024;

[[nodiscard]] Error bind_to(auto& acceptor, const tcp::endpoint& at, bool share) {
    Error error;
    acceptor.open(at.protocol(), error);
    if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error && share) acceptor.set_option(Flag<SOL_SOCKET, SO_REUSEPORT>(true), error);
    if (!error && at.address().is_v6()) acceptor.set_option(asio::ip::v6_only{false}, error);
    if (!error) acceptor.bind(at, error);
    return error;
}

/// What the sockets that are accepted inherit.
void set_options(auto& acceptor) {
    Error ignored;
    acceptor.set_option(tcp::no_delay(true), ignored);
    acceptor.set_option(asio::socket_base::keep_alive(true), ignored);
    acceptor.set_option(asio::socket_base::send_buffer_size(kernel_send_bytes), ignored);
    acceptor.set_option(TcpNumber<TCP_KEEPIDLE>(keep_alive_after_s), ignored);
    acceptor.set_option(TcpNumber<TCP_KEEPINTVL>(keep_alive_every_s), ignored);
    acceptor.set_option(TcpNumber<TCP_KEEPCNT>(keep_alive_tries), ignored);
    acceptor.set_option(TcpNumber<TCP_USER_TIMEOUT>(unacknowledged_ms), ignored);
}

[[nodiscard]] Gate::Source source_of(const asio::ip::address& address) {
    return Gate::source_of(
        (address.is_v6() ? address.to_v6() : make_address_v6(asio::ip::v4_mapped, address.to_v4()))
            .to_bytes());
}

/// OpenSSL writes to sockets that may have gone; that is told by the call's result.
void block_broken_pipes() {
    sigset_t set{};
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

}  // namespace

Error is_free(const tcp::endpoint& at) {
    asio::io_context context;
    tcp::acceptor probe{context};
    auto error = bind_to(probe, at, false);
    if (!error) probe.listen(1, error);
    return error;
}

Shard::Shard(Server& server, unsigned index)
    : server_(server), index_(index), tls_(server.tls_.get()), scratch_(read_at_once) {
    SSL_CTX_up_ref(tls_.get());
}

Shard::~Shard() {
    join();
}

Error Shard::listen(const tcp::endpoint& at) {
    auto error = bind_to(acceptor_, at, true);
    if (error) return error;
    set_options(acceptor_);
    acceptor_.listen(backlog, error);
    return error;
}

std::uint16_t Shard::port() const {
    return acceptor_.local_endpoint().port();
}

void Shard::start(Service& service) {
    service_ = &service;
    accept();
    tick();
    thread_ = std::thread{[this] {
        block_broken_pipes();
        context_.run();
    }};
}

void Shard::join() {
    if (thread_.joinable()) thread_.join();
}

// ---- coming and going ----

void Shard::accept() {
    acceptor_.async_accept(
        from_, [this](Error error, TlsStream::Socket socket) { accepted(error, std::move(socket)); });
}

void Shard::accepted(Error error, TlsStream::Socket socket) {
    if (error == asio::error::operation_aborted || !acceptor_.is_open()) return;
    if (error) {
        // No descriptors left, most likely: others must go first.
        accept_again_.expires_after(accept_pause);
        accept_again_.async_wait([this](Error stopped) {
            if (!stopped) accept();
        });
        return;
    }
    admit(std::move(socket));
    accept();
}

void Shard::admit(TlsStream::Socket socket) {
    if (server_.connections_.fetch_add(1, std::memory_order_relaxed) >= server_.options_.max_connections) {
        server_.connections_.fetch_sub(1, std::memory_order_relaxed);
        count(counters().refused_full);
        return;
    }
    const auto source = source_of(from_.address());
    const auto verdict = server_.gate_.enter(source, now());
    if (verdict != Gate::Verdict::granted) {
        server_.connections_.fetch_sub(1, std::memory_order_relaxed);
        count(verdict == Gate::Verdict::too_many ? counters().refused_many : counters().refused_fast);
        return;
    }
    count(counters().accepted);
    const ConnectionId id = (next_++ << index_bits) | index_;
    auto connection = std::make_shared<Connection>(*this, id, source, std::move(socket), tls_.get());
    connections_.emplace(id, connection);
    connection->start();
}

void Shard::remove(ConnectionId connection, Gate::Source source) {
    if (connections_.erase(connection) == 0) return;
    server_.gate_.leave(source);
    server_.connections_.fetch_sub(1, std::memory_order_relaxed);
}

void Shard::replace_tls(TlsContext tls) {
    // What is posted has to be copyable.
    asio::post(context_,
               [this, shared = std::make_shared<TlsContext>(std::move(tls))] { tls_ = std::move(*shared); });
}

// ---- time ----

void Shard::schedule(TimerWheel::Entry& entry, std::uint64_t at_ms) {
    const auto at = (at_ms + tick_ms - 1) / tick_ms;
    if (!entry.is_set() || at < entry.tick()) wheel_.set(entry, at);
}

void Shard::tick() {
    const auto time = now();
    if (index_ == 0) service_->hub.tick();
    wheel_.advance(time / tick_ms, [](TimerWheel::Entry& entry) {
        const auto connection = static_cast<Connection&>(entry).shared_from_this();
        connection->due();
    });
    if (stopping_) {
        if (connections_.empty()) return;
        if (time >= stop_by_ms_) {
            const auto left = connections_;
            for (const auto& [id, connection] : left) connection->drop();
            return;
        }
    }
    timer_.expires_after(std::chrono::milliseconds{tick_ms});
    timer_.async_wait([this](Error error) {
        if (!error) tick();
    });
}

// ---- a turn of the loop ----

void Shard::put(ConnectionId connection, Effect effect) {
    bool first = false;
    {
        const std::lock_guard lock(mutex_);
        first = effects_.empty();
        effects_.emplace_back(connection, std::move(effect));
    }
    if (first) asio::post(context_, [this] { end_turn(); });
}

void Shard::mark(std::shared_ptr<Connection> connection) {
    if (marked_.empty()) asio::post(context_, [this] { end_turn(); });
    marked_.push_back(std::move(connection));
}

void Shard::mark_later(std::shared_ptr<Connection> connection) {
    const bool idle = held_.empty() && held_longer_.empty();
    held_.push_back(std::move(connection));
    if (idle) flush_held();
}

void Shard::flush_held() {
    flushing_.swap(held_longer_);
    held_longer_.swap(held_);
    for (const auto& connection : flushing_) connection->release();
    flushing_.clear();
    if (held_longer_.empty()) return;
    held_timer_.expires_after(held_for);
    held_timer_.async_wait([this](Error error) {
        if (!error) flush_held();
    });
}

void Shard::apply(ConnectionId id, Effect& effect) {
    if (auto* const work = std::get_if<Work>(&effect)) return work->run();
    if (auto* const all = std::get_if<PushAll>(&effect)) {
        for (auto& [each, frame] : all->pushes) {
            Effect one = Push{{std::string{}, std::move(frame)}};
            apply(each, one);
        }
        return;
    }
    const auto found = connections_.find(id);
    if (found == connections_.end()) return;
    const auto connection = found->second;
    connection->apply(std::move(effect));
}

/// Posted behind everything that was ready when the turn's first effect came.
void Shard::end_turn() {
    {
        const std::lock_guard lock(mutex_);
        taken_.swap(effects_);
    }
    for (auto& [id, effect] : taken_) apply(id, effect);
    taken_.clear();
    flushing_.swap(marked_);
    for (const auto& connection : flushing_) connection->flush();
    flushing_.clear();
}

// ---- the end ----

void Shard::stop_accepting() {
    asio::post(context_, [this] {
        Error ignored;
        acceptor_.close(ignored);
        accept_again_.cancel();
    });
}

void Shard::stop() {
    asio::post(context_, [this] {
        end_turn();
        stopping_ = true;
        stop_by_ms_ = now() + patience().close;
        const auto open = connections_;
        for (const auto& [id, connection] : open) connection->retire();
    });
}

}  // namespace sotto::keyserver
