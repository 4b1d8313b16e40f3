#include "connections.hpp"

#include "sotto/protocol/limits.hpp"

namespace sotto::client {

ConnectionId Connections::open(Purpose purpose, const protocol::Endpoint& endpoint, Listener& listener) {
    const auto id = next_id_++;
    auto entry = std::make_unique<Entry>();
    entry->connection.id = id;
    entry->connection.purpose = purpose;
    entry->connection.endpoint = endpoint;
    entry->connection.last_used = shell_->now;
    entry->listener = &listener;
    connections_.emplace(id, std::move(entry));
    shell_->act(OpenConnection{id, purpose, endpoint});
    return id;
}

Connections::Removed Connections::remove(ConnectionId id) {
    const auto found = connections_.find(id);
    if (found == connections_.end()) return {};
    const auto entry = std::move(found->second);
    connections_.erase(found);
    const bool busy =
        entry->connection.state != Connection::State::open || !entry->connection.pending.empty();
    // In the order of asking, so that what is sent again keeps its order.
    for (auto& [number, pending] : entry->connection.pending) pending.answer(nullptr);
    return {entry->listener, busy};
}

void Connections::close(ConnectionId id) {
    if (connections_.contains(id)) shell_->act(CloseConnection{id});
    remove(id);
}

void Connections::fail(ConnectionId id, NetworkError error) {
    if (connections_.contains(id)) shell_->act(CloseConnection{id});
    const auto [listener, busy] = remove(id);
    if (listener != nullptr) listener->lost(id, error, busy);
}

Connection* Connections::find(ConnectionId id) {
    const auto found = connections_.find(id);
    return found == connections_.end() ? nullptr : &found->second->connection;
}

void Connections::request(Connection& connection, wire::Request& request, Answer answer) {
    const auto number = connection.next_request++;
    if (connection.next_request == 0) connection.next_request = 1;
    request.set_id(number);
    if (!request.has_ping()) connection.last_used = shell_->now;
    connection.pending.emplace(
        number, Connection::Pending{shell_->now + shell_->config.request_timeout, std::move(answer)});
    shell_->act(SendFrame{connection.id, encode(request)});
}

void Connections::handle(NetworkEvent event) {
    if (auto* up = std::get_if<Connected>(&event)) {
        connected(std::move(*up));
    } else if (const auto* frame = std::get_if<FrameReceived>(&event)) {
        received(*frame);
    } else if (const auto* down = std::get_if<Disconnected>(&event)) {
        const auto [listener, busy] = remove(down->id);
        if (listener != nullptr) listener->lost(down->id, down->error, busy);
    }
}

void Connections::connected(Connected event) {
    auto* connection = find(event.id);
    if (connection == nullptr || connection->state != Connection::State::connecting) return;
    connection->state = Connection::State::greeting;
    connection->greeting_deadline = shell_->now + shell_->config.request_timeout;
    connection->facts = std::move(event);
}

void Connections::received(const FrameReceived& event) {
    const auto found = connections_.find(event.id);
    if (found == connections_.end()) return;
    auto& [connection, listener] = *found->second;

    wire::Reply reply;
    const bool parsed = event.frame.size() <= protocol::max_frame_size &&
                        reply.ParseFromArray(event.frame.data(), static_cast<int>(event.frame.size()));
    if (!parsed || connection.state == Connection::State::connecting) {
        fail(event.id, NetworkError::not_sotto);
        return;
    }
    if (connection.state == Connection::State::greeting) {
        if (reply.id() != 0 || !reply.has_hello() || reply.hello().version() != protocol::wire_version) {
            fail(event.id, NetworkError::not_sotto);
            return;
        }
        connection.hello = reply.hello();
        connection.state = Connection::State::open;
        connection.last_used = shell_->now;
        listener->greeted(connection);
        return;
    }
    if (reply.id() == 0) {
        listener->pushed(connection, reply);
        return;
    }
    const auto pending = connection.pending.find(reply.id());
    if (pending == connection.pending.end()) {
        fail(event.id, NetworkError::not_sotto);
        return;
    }
    const auto answer = std::move(pending->second.answer);
    connection.pending.erase(pending);
    connection.last_used = shell_->now;
    answer(&reply);
}

void Connections::tick() {
    std::vector<ConnectionId> late;
    for (const auto& [id, entry] : connections_) {
        const auto& connection = entry->connection;
        bool over =
            connection.state == Connection::State::greeting && connection.greeting_deadline <= shell_->now;
        for (const auto& [number, pending] : connection.pending)
            over = over || pending.deadline <= shell_->now;
        if (over) late.push_back(id);
    }
    for (const auto id : late) fail(id, NetworkError::closed);
}

std::optional<std::int64_t> Connections::next_deadline() const {
    std::optional<std::int64_t> deadline;
    for (const auto& [id, entry] : connections_) {
        const auto& connection = entry->connection;
        if (connection.state == Connection::State::greeting) sooner(deadline, connection.greeting_deadline);
        // Deadlines grow with the request's number.
        if (!connection.pending.empty()) sooner(deadline, connection.pending.begin()->second.deadline);
    }
    return deadline;
}

std::size_t Connections::in_flight() const {
    std::size_t count = 0;
    for (const auto& [id, entry] : connections_) count += entry->connection.pending.size();
    return count;
}

}  // namespace sotto::client
