// One connection to a key server, from looking up its name to the close frame. All of it on the io_context's
// one thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>

#include "event_queue.hpp"

namespace sotto::client::net {

struct Target {
    Serial serial = 0;
    ConnectionId id = 0;
    Purpose purpose = Purpose::identified;
    protocol::Endpoint endpoint;
    std::chrono::milliseconds connect_timeout{0};  ///< from DNS to upgrade
};

class Connection {
  public:
    static constexpr std::size_t max_queued =
        16UL * 1024 * 1024;  ///< bytes to be written; a slower server is dropped
    static constexpr std::chrono::seconds idle_timeout{
        40};  ///< pinged after half of it without a sign of life
    static constexpr std::chrono::seconds close_timeout{2};

    virtual ~Connection() = default;
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    virtual void send(Bytes frame) = 0;
    /// What is queued goes out first, then a close frame. While it still connects: at once.
    virtual void close() = 0;
    /// Without any farewell.
    virtual void abort() = 0;
    /// The event queue has room again.
    virtual void resume() = 0;

  protected:
    Connection() = default;
};

/// Starts at once. `ended` is the last thing that it calls.
[[nodiscard]] std::shared_ptr<Connection> connect(boost::asio::io_context& io, Target target,
                                                  EventQueue& events, std::function<void()> ended);

}  // namespace sotto::client::net
