// Anonymous connections to the servers of contacts: one a server, opened when there is work, closed when
// there is none. Nothing that names us goes over them.
#pragma once

#include "core.hpp"

namespace sotto::client {

/// A server as a contact's address and endpoint name it.
struct Route {
    protocol::Endpoint endpoint;
    std::string server;  ///< the name that it has to give
    bool operator==(const Route&) const = default;
};

/// Our own server is always reached as we reach it, whatever anybody says of it.
[[nodiscard]] Route route_to(const Core& core, const crypto::Address& address,
                             const protocol::Endpoint& said);
[[nodiscard]] Route route_to(const Core& core, const storage::Contact& contact);

class Deliveries final : public Connections::Listener {
  public:
    explicit Deliveries(Core& core) : core_(&core) {}

    /// The open connection; otherwise null, and one is being opened unless the last failure was too recent.
    [[nodiscard]] Connection* use(const Route& route);
    /// The failure that is being waited out, if any.
    [[nodiscard]] std::optional<Error> away(const Route& route) const;
    /// The next use tries at once.
    void forgive(const Route& route);
    /// Some connection is on its way up.
    [[nodiscard]] bool opening() const;
    void tick();
    [[nodiscard]] std::optional<std::int64_t> next_deadline() const;
    void stop();

    void greeted(Connection& connection) override;
    void pushed(Connection& connection, const wire::Reply& push) override;
    void lost(ConnectionId id, NetworkError error, bool busy) override;

  private:
    struct Server {
        Route route;
        ConnectionId connection = 0;
        bool open = false;
        std::int64_t open_since = 0;
        std::int64_t retry_at = 0;  ///< 0: no failure
        std::optional<Error> failure;
        Backoff backoff;
    };
    [[nodiscard]] const Server* known(const Route& route) const;
    Server& server(const Route& route);
    Server* by_connection(ConnectionId id);
    void failed(Server& server, Error error);

    Core* core_;
    std::vector<Server> servers_;
};

}  // namespace sotto::client
