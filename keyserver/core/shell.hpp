// What the rules ask of the world around them. Every call is safe from any thread, only queues, and never
// calls back.
#pragma once

#include <functional>
#include <string>

#include "keyserver/core/types.hpp"

namespace sotto::keyserver {

class Session;

class Shell {
  public:
    virtual ~Shell() = default;
    /// The answer to a request that the connection counts as unanswered.
    virtual void reply(ConnectionId connection, std::string frame) = 0;
    /// A frame that nobody asked for.
    virtual void push(ConnectionId connection, std::string frame) = 0;
    /// Closes after what was queued before has left.
    virtual void close(ConnectionId connection) = 0;
    /// Runs on the connection's own thread, if the connection is still there.
    virtual void resume(ConnectionId connection, std::move_only_function<void(Session&)> step) = 0;

  protected:
    Shell() = default;
    Shell(const Shell&) = default;
    Shell& operator=(const Shell&) = default;
};

}  // namespace sotto::keyserver
