// From a host's name to its addresses, off the network's thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace sotto::client::net {

/// getaddrinfo can neither be cancelled nor given a limit of time, and Asio's resolver would hold up its
/// context's end: each lookup has a thread that nobody waits for, and can be abandoned.
class Lookup {
  public:
    /// No addresses: `error` says why.
    using Done =
        std::function<void(std::vector<boost::asio::ip::tcp::endpoint> addresses, std::string error)>;

    /// `done` runs on `io`, unless the lookup is abandoned first.
    [[nodiscard]] static std::shared_ptr<Lookup> start(boost::asio::io_context& io, std::string host,
                                                       std::uint16_t port, Done done);
    /// After this `io` is touched no more. On the thread of `io`.
    void abandon();

  private:
    std::mutex mutex_;
    boost::asio::io_context* io_ = nullptr;
    Done done_;
};

}  // namespace sotto::client::net
