#include "lookup.hpp"

#include <netdb.h>

#include <boost/asio/post.hpp>
#include <cstring>
#include <system_error>
#include <thread>
#include <utility>

namespace sotto::client::net {
namespace {

using boost::asio::ip::tcp;

std::vector<tcp::endpoint> resolve(const std::string& host, std::uint16_t port, std::string& error) {
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_ADDRCONFIG | AI_NUMERICSERV;
    addrinfo* found = nullptr;
    const int failed = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
    if (failed != 0) {
        error = ::gai_strerror(failed);
        return {};
    }
    std::vector<tcp::endpoint> result;
    for (const auto* entry = found; entry != nullptr; entry = entry->ai_next) {
        tcp::endpoint endpoint;
        if (entry->ai_addrlen > endpoint.capacity()) continue;
        std::memcpy(endpoint.data(), entry->ai_addr, entry->ai_addrlen);
        endpoint.resize(entry->ai_addrlen);
        result.push_back(endpoint);
    }
    ::freeaddrinfo(found);
    if (result.empty()) error = "no address";
    return result;
}

}  // namespace

std::shared_ptr<Lookup> Lookup::start(boost::asio::io_context& io, std::string host, std::uint16_t port,
                                      Done done) {
    auto lookup = std::make_shared<Lookup>();
    lookup->io_ = &io;
    lookup->done_ = std::move(done);
    std::thread{[lookup, host = std::move(host), port] {
        std::string error;
        auto addresses = resolve(host, port, error);
        const std::scoped_lock lock{lookup->mutex_};
        if (lookup->io_ == nullptr) return;
        boost::asio::post(
            *lookup->io_,
            [done = std::exchange(lookup->done_, nullptr), addresses = std::move(addresses),
             error = std::move(error)]() mutable { done(std::move(addresses), std::move(error)); });
    }}.detach();
    return lookup;
}

void Lookup::abandon() {
    const std::scoped_lock lock{mutex_};
    io_ = nullptr;
    done_ = nullptr;
}

}  // namespace sotto::client::net
