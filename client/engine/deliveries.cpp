#include "deliveries.hpp"

#include "sentences.hpp"

namespace sotto::client {

Route route_to(const Core& core, const crypto::Address& address, const protocol::Endpoint& said) {
    if (address.server == core.identity.address.server) return {core.own_endpoint(), address.server};
    return {said, address.server};
}

Route route_to(const Core& core, const storage::Contact& contact) {
    return route_to(core, contact.address, {contact.server_host, contact.server_port, contact.server_pin});
}

const Deliveries::Server* Deliveries::known(const Route& route) const {
    const auto found = std::ranges::find(servers_, route, &Server::route);
    return found == servers_.end() ? nullptr : &*found;
}

Deliveries::Server& Deliveries::server(const Route& route) {
    const auto found = std::ranges::find(servers_, route, &Server::route);
    if (found != servers_.end()) return *found;
    Server fresh;
    fresh.route = route;
    servers_.push_back(std::move(fresh));
    return servers_.back();
}

Deliveries::Server* Deliveries::by_connection(ConnectionId id) {
    const auto found = std::ranges::find(servers_, id, &Server::connection);
    return found == servers_.end() ? nullptr : &*found;
}

Connection* Deliveries::use(const Route& route) {
    auto& server = this->server(route);
    if (server.open) return core_->connections.find(server.connection);
    if (server.connection == 0 && server.retry_at <= core_->shell.now)
        server.connection = core_->connections.open(Purpose::delivery, route.endpoint, *this);
    return nullptr;
}

std::optional<Error> Deliveries::away(const Route& route) const {
    const auto* server = known(route);
    if (server == nullptr || server->connection != 0 || server->retry_at <= core_->shell.now)
        return std::nullopt;
    return server->failure;
}

void Deliveries::forgive(const Route& route) {
    auto& server = this->server(route);
    server.retry_at = 0;
    server.failure.reset();
}

bool Deliveries::opening() const {
    return std::ranges::any_of(servers_,
                               [](const auto& server) { return server.connection != 0 && !server.open; });
}

void Deliveries::tick() {
    for (auto& server : servers_) {
        const auto* connection = server.open ? core_->connections.find(server.connection) : nullptr;
        if (connection == nullptr || !connection->pending.empty()) continue;
        if (connection->last_used + core_->shell.config.delivery_idle > core_->shell.now) continue;
        const auto id = std::exchange(server.connection, 0);
        server.open = false;
        core_->connections.close(id);
    }
}

std::optional<std::int64_t> Deliveries::next_deadline() const {
    std::optional<std::int64_t> deadline;
    for (const auto& server : servers_) {
        const auto* connection = server.open ? core_->connections.find(server.connection) : nullptr;
        if (connection != nullptr && connection->pending.empty())
            sooner(deadline, connection->last_used + core_->shell.config.delivery_idle);
        if (server.retry_at > core_->shell.now) sooner(deadline, server.retry_at);
    }
    return deadline;
}

void Deliveries::stop() {
    for (auto& server : servers_) {
        const auto id = std::exchange(server.connection, 0);
        server.open = false;
        if (id != 0) core_->connections.close(id);
    }
}

void Deliveries::greeted(Connection& connection) {
    auto* server = by_connection(connection.id);
    if (server == nullptr) return;
    const auto& route = server->route;
    const bool named = connection.hello.server_name() == route.server;
    const bool vouched = route.endpoint.pin || connection.facts.verified_host == route.server;
    if (named && vouched) {
        server->open = true;
        server->retry_at = 0;
        server->failure.reset();
        server->open_since = core_->shell.now;
        return;
    }
    const Error error{
        Exit::untrusted,
        say("The server at {} is not {}; nothing was sent to it. Ask your contact for a new link.",
            text_of(route.endpoint), route.server)};
    const auto id = std::exchange(server->connection, 0);
    if (!server->failure || server->failure->sentence != error.sentence) core_->shell.warn(error);
    failed(*server, error);
    core_->connections.close(id);
}

void Deliveries::pushed(Connection& connection, const wire::Reply& push) {
    // The server is about to stop: what is in flight may still be answered, nothing new is sent.
    if (push.has_closing()) core_->connections.fail(connection.id, NetworkError::closed);
}

void Deliveries::lost(ConnectionId id, NetworkError error, bool busy) {
    auto* server = by_connection(id);
    if (server == nullptr) return;
    server->connection = 0;
    server->open = false;
    if (!busy) return;  // an idle one ended: the next use opens another
    auto described = describe(error, server->route.endpoint);
    const auto sentence = described.sentence;
    failed(*server, std::move(described));
    core_->shell.tell(LostServer{error, core_->shell.to_wall(server->retry_at), sentence});
}

void Deliveries::failed(Server& server, Error error) {
    const auto& shell = core_->shell;
    if (server.open_since != 0 && shell.now - server.open_since >= steady_after) server.backoff.reset();
    server.open_since = 0;
    server.retry_at =
        shell.now + server.backoff.next(shell.config.backoff_first, shell.config.backoff_most, shell.rng);
    server.failure = std::move(error);
}

}  // namespace sotto::client
