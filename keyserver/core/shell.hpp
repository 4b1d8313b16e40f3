// What the rules ask of the world around them. Every call is safe from any thread, only queues, and never
// calls back.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "keyserver/core/types.hpp"

namespace sotto::keyserver {

class Session;

/// A frame to a client. Its end may be an envelope that others hold too: it is shared until it is written.
struct Outgoing {
    // Whoever has a whole frame just hands it over.
    Outgoing(std::string whole) : head(std::move(whole)) {}  // NOLINT(google-explicit-constructor)
    Outgoing(std::string begin, SharedBytes end) : head(std::move(begin)), rest(std::move(end)) {}

    [[nodiscard]] std::size_t size() const { return head.size() + (rest ? rest->size() : 0); }
    [[nodiscard]] std::string whole() const { return rest ? head + *rest : head; }

    std::string head;
    SharedBytes rest;
};

class Shell {
  public:
    virtual ~Shell() = default;
    /// The answer to a request that the connection counts as unanswered.
    virtual void reply(ConnectionId connection, std::string frame) = 0;
    /// The same where nobody waits for it: it may be held back a little, to leave with what comes next.
    virtual void reply_later(ConnectionId connection, std::string frame) {
        reply(connection, std::move(frame));
    }
    /// A frame that nobody asked for.
    virtual void push(ConnectionId connection, Outgoing frame) = 0;
    /// Several of them, each connection's in this order.
    using Pushes = std::vector<std::pair<ConnectionId, SharedBytes>>;
    virtual void push_all(Pushes pushes) {
        for (auto& [connection, frame] : pushes) push(connection, {std::string{}, std::move(frame)});
    }
    /// Closes after what was queued before has left.
    virtual void close(ConnectionId connection) = 0;
    /// Runs on the connection's own thread, if the connection is still there.
    virtual void resume(ConnectionId connection, std::move_only_function<void(Session&)> step) = 0;
    /// Runs on one of the threads; asked on the thread of connection `by`. What one thread asks of another
    /// runs in its order, what it asks of itself runs at once.
    virtual void run_on(unsigned thread, ConnectionId by, std::move_only_function<void()> work) = 0;

  protected:
    Shell() = default;
    Shell(const Shell&) = default;
    Shell& operator=(const Shell&) = default;
};

}  // namespace sotto::keyserver
