// Connections as the engine sees them: opened, greeted, requests matched with their replies, timeouts.
#pragma once

#include <functional>
#include <map>
#include <memory>

#include "shell.hpp"
#include "wire.hpp"

namespace sotto::client {

/// A request's end: the server's reply, or null if the connection went before it came.
using Answer = std::function<void(const wire::Reply*)>;

struct Connection {
    ConnectionId id = 0;
    Purpose purpose = Purpose::identified;
    protocol::Endpoint endpoint;
    enum class State : std::uint8_t { connecting, greeting, open } state = State::connecting;
    Connected facts;             ///< from `greeting` on
    wire::Hello hello;           ///< from `open` on
    std::int64_t last_used = 0;  ///< when a request was sent or answered

    struct Pending {
        std::int64_t deadline = 0;
        Answer answer;
    };
    std::map<std::uint32_t, Pending> pending;
    std::uint32_t next_request = 1;
    std::int64_t greeting_deadline = 0;
};

class Connections {
  public:
    /// Who opened a connection hears of it here. A connection may be closed inside any of these.
    class Listener {
      public:
        virtual ~Listener() = default;
        virtual void greeted(Connection& connection) = 0;
        virtual void pushed(Connection& connection, const wire::Reply& push) = 0;
        /// It is gone already, its pending requests have been answered with null. `busy`: it was coming up,
        /// or had some.
        virtual void lost(ConnectionId id, NetworkError error, bool busy) = 0;

      protected:
        Listener() = default;
        Listener(const Listener&) = default;
        Listener& operator=(const Listener&) = default;
    };

    explicit Connections(Shell& shell) : shell_(&shell) {}

    ConnectionId open(Purpose purpose, const protocol::Endpoint& endpoint, Listener& listener);
    /// With no call of `lost`; pending requests are answered with null.
    void close(ConnectionId id);
    /// As if the network had ended it.
    void fail(ConnectionId id, NetworkError error);
    [[nodiscard]] Connection* find(ConnectionId id);

    /// Sends a request on an open connection; `answer` is called exactly once.
    void request(Connection& connection, wire::Request& request, Answer answer);

    void handle(NetworkEvent event);
    /// Ends connections whose server has not answered in time.
    void tick();
    [[nodiscard]] std::optional<std::int64_t> next_deadline() const;
    /// Requests that wait for their reply, pings apart.
    [[nodiscard]] std::size_t in_flight() const;
    [[nodiscard]] bool empty() const { return connections_.empty(); }

  private:
    struct Entry {
        Connection connection;
        Listener* listener = nullptr;
    };
    void connected(Connected event);
    void received(const FrameReceived& event);
    /// Takes the connection out and answers what was pending.
    struct Removed {
        Listener* listener = nullptr;  ///< null: there was no such connection
        bool busy = false;
    };
    Removed remove(ConnectionId id);

    Shell* shell_;
    std::map<ConnectionId, std::unique_ptr<Entry>> connections_;
    ConnectionId next_id_ = 1;
};

}  // namespace sotto::client
