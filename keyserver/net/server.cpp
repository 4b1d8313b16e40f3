#include "keyserver/net/server.hpp"

#include <openssl/ssl.h>

#include <boost/asio/ip/address.hpp>

#include "keyserver/net/shard.hpp"

namespace sotto::keyserver {
namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

[[nodiscard]] std::size_t index_of(ConnectionId connection) {
    return connection & ((1U << Shard::index_bits) - 1);
}

}  // namespace

Server::Server(TlsContext tls, ServerOptions options)
    : tls_(std::move(tls)),
      options_(std::move(options)),
      patience_(options_.patience),
      gate_(options_.gate) {}

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
    service.presence.open(static_cast<unsigned>(shards_.size()));
    for (const auto& shard : shards_) shard->start(service);
    return at.port();
}

void Server::replace_tls(TlsContext tls) {
    for (const auto& shard : shards_) {
        SSL_CTX_up_ref(tls.get());
        shard->replace_tls(TlsContext{tls.get()});
    }
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
    return *shards_.at(index_of(connection));
}

void Server::reply(ConnectionId connection, std::string frame) {
    shard_of(connection).put(connection, Shard::Reply{.frame = std::move(frame)});
}

void Server::reply_later(ConnectionId connection, std::string frame) {
    shard_of(connection).put(connection, Shard::Reply{.frame = std::move(frame), .later = true});
}

void Server::push(ConnectionId connection, Outgoing frame) {
    shard_of(connection).put(connection, Shard::Push{std::move(frame)});
}

void Server::push_all(Pushes pushes) {
    std::vector<Pushes> split(shards_.size());
    for (auto& [connection, frame] : pushes)
        split.at(index_of(connection)).emplace_back(connection, std::move(frame));
    for (std::size_t i = 0; i < split.size(); ++i)
        if (!split[i].empty()) shards_[i]->put(0, Shard::PushAll{std::move(split[i])});
}

void Server::run_on(unsigned thread, ConnectionId by, std::move_only_function<void()> work) {
    if (thread == index_of(by)) return work();
    shards_.at(thread)->put(0, Shard::Work{std::move(work)});
}

void Server::close(ConnectionId connection) {
    shard_of(connection).put(connection, Shard::Close{});
}

void Server::resume(ConnectionId connection, std::move_only_function<void(Session&)> step) {
    shard_of(connection).put(connection, std::move(step));
}

}  // namespace sotto::keyserver
