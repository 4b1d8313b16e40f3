#include "keyserver/net/server.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/socket_base.hpp>

#include "keyserver/net/connection.hpp"
#include "keyserver/net/shard.hpp"

namespace sotto::keyserver {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using ReusePort = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;

constexpr auto tick_every = std::chrono::milliseconds{100};
constexpr auto accept_pause = std::chrono::milliseconds{100};
constexpr int backlog = 4096;

[[nodiscard]] boost::system::error_code bind_to(tcp::acceptor& acceptor, const tcp::endpoint& at,
                                                bool share) {
    boost::system::error_code error;
    acceptor.open(at.protocol(), error);
    if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error && share) acceptor.set_option(ReusePort(true), error);
    if (!error && at.address().is_v6()) acceptor.set_option(asio::ip::v6_only{false}, error);
    if (!error) acceptor.bind(at, error);
    return error;
}

[[nodiscard]] SSL_CTX* one_more_owner(SSL_CTX* context) {
    SSL_CTX_up_ref(context);
    return context;
}

/// Our own sockets share the port, which would let a second server join them unseen: so it is first asked for
/// alone.
[[nodiscard]] boost::system::error_code is_free(const tcp::endpoint& at) {
    asio::io_context context;
    tcp::acceptor probe{context};
    auto error = bind_to(probe, at, false);
    if (!error) probe.listen(1, error);
    return error;
}

}  // namespace

// ---- shard ----

Shard::Shard(Server& server, unsigned index)
    : server_(server), index_(index), tls_(one_more_owner(server.tls_.get())) {}

Shard::~Shard() {
    join();
}

boost::system::error_code Shard::listen(const tcp::endpoint& at) {
    auto error = bind_to(acceptor_, at, true);
    if (!error) acceptor_.listen(backlog, error);
    return error;
}

std::uint16_t Shard::port() const {
    return acceptor_.local_endpoint().port();
}

void Shard::start(Service& service) {
    service_ = &service;
    accept();
    tick();
    thread_ = std::thread{[this] { context_.run(); }};
}

void Shard::join() {
    if (thread_.joinable()) thread_.join();
}

void Shard::accept() {
    acceptor_.async_accept(
        [this](boost::system::error_code error, tcp::socket socket) { accepted(error, std::move(socket)); });
}

void Shard::accepted(boost::system::error_code error, tcp::socket socket) {
    if (error == asio::error::operation_aborted || !acceptor_.is_open()) return;
    if (error) {
        // No descriptors left, most likely: others must go first.
        accept_again_.expires_after(accept_pause);
        accept_again_.async_wait([this](boost::system::error_code stopped) {
            if (!stopped) accept();
        });
        return;
    }
    if (server_.connections_.fetch_add(1, std::memory_order_relaxed) >= server_.options_.max_connections) {
        server_.connections_.fetch_sub(1, std::memory_order_relaxed);
    } else {
        const ConnectionId id = (next_++ << index_bits) | index_;
        auto connection = Connection::make(*this, id, std::move(socket), tls_);
        connections_.emplace(id, connection);
        connection->start();
    }
    accept();
}

void Shard::remove(ConnectionId connection) {
    if (connections_.erase(connection) > 0) server_.connections_.fetch_sub(1, std::memory_order_relaxed);
}

void Shard::expect_login(ConnectionId connection) {
    logins_due_.emplace_back(service_->clock.steady_ms() + limits::login_ms, connection);
}

void Shard::tick() {
    const auto now = service_->clock.steady_ms();
    if (index_ == 0) service_->hub.tick();
    while (!logins_due_.empty() && logins_due_.front().first <= now) {
        const auto late = connections_.find(logins_due_.front().second);
        logins_due_.pop_front();
        if (late == connections_.end() || late->second->settled()) continue;
        const auto connection = late->second;
        connection->drop();
    }
    if (stopping_) {
        if (connections_.empty()) return;
        if (now >= stop_by_ms_) {
            const auto left = std::move(connections_);
            connections_.clear();
            for (const auto& [id, connection] : left) connection->drop();
            server_.connections_.fetch_sub(left.size(), std::memory_order_relaxed);
            return;
        }
    }
    timer_.expires_after(tick_every);
    timer_.async_wait([this](boost::system::error_code error) {
        if (!error) tick();
    });
}

void Shard::put(ConnectionId connection, Effect effect) {
    bool first = false;
    {
        const std::lock_guard lock(mutex_);
        first = effects_.empty();
        effects_.emplace_back(connection, std::move(effect));
    }
    if (first) asio::post(context_, [this] { take_effects(); });
}

void Shard::take_effects() {
    std::vector<std::pair<ConnectionId, Effect>> taken;
    {
        const std::lock_guard lock(mutex_);
        taken.swap(effects_);
    }
    for (auto& [id, effect] : taken) {
        const auto found = connections_.find(id);
        if (found == connections_.end()) continue;
        const auto connection = found->second;
        connection->apply(std::move(effect));
    }
}

void Shard::stop_accepting() {
    asio::post(context_, [this] {
        boost::system::error_code ignored;
        acceptor_.close(ignored);
        accept_again_.cancel();
    });
}

void Shard::stop() {
    asio::post(context_, [this] {
        take_effects();
        stopping_ = true;
        stop_by_ms_ = service_->clock.steady_ms() + limits::close_ms;
        const auto open = connections_;
        for (const auto& [id, connection] : open) connection->retire();
    });
}

// ---- server ----

Server::Server(TlsContext tls, ServerOptions options) : tls_(std::move(tls)), options_(std::move(options)) {}

// A thread that can't be joined may end the process: it must not outlive what it uses.
Server::~Server() {  // NOLINT(bugprone-exception-escape)
    stop();
}

std::expected<std::uint16_t, std::string> Server::start(Service& service) {
    boost::system::error_code error;
    const auto address = asio::ip::make_address(options_.listen.host, error);
    tcp::endpoint at{address, options_.listen.port};
    if (!error) error = is_free(at);
    auto count = options_.threads != 0 ? options_.threads : std::max(1U, std::thread::hardware_concurrency());
    count = std::min(count, 1U << Shard::index_bits);
    for (unsigned i = 0; i < count && !error; ++i) {
        shards_.push_back(std::make_unique<Shard>(*this, i));
        error = shards_.back()->listen(at);
        if (!error && i == 0) at.port(shards_.front()->port());
    }
    if (error) {
        shards_.clear();
        return std::unexpected("The server can't listen on " + options_.listen.host + " port " +
                               std::to_string(options_.listen.port) + ": " + error.message() + ".");
    }
    for (const auto& shard : shards_) shard->start(service);
    return at.port();
}

void Server::stop_accepting() {
    for (const auto& shard : shards_) shard->stop_accepting();
}

void Server::stop() {
    stop_accepting();
    for (const auto& shard : shards_) shard->stop();
    for (const auto& shard : shards_) shard->join();
}

Shard& Server::shard_of(ConnectionId connection) {
    return *shards_.at(connection & ((1U << Shard::index_bits) - 1));
}

void Server::reply(ConnectionId connection, std::string frame) {
    shard_of(connection).put(connection, Shard::Reply{std::move(frame)});
}

void Server::push(ConnectionId connection, std::string frame) {
    shard_of(connection).put(connection, Shard::Push{std::move(frame)});
}

void Server::close(ConnectionId connection) {
    shard_of(connection).put(connection, Shard::Close{});
}

void Server::resume(ConnectionId connection, std::move_only_function<void(Session&)> step) {
    shard_of(connection).put(connection, std::move(step));
}

}  // namespace sotto::keyserver
