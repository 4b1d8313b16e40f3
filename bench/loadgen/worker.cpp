#include "bench/loadgen/worker.hpp"

#include <arpa/inet.h>
#include <netdb.h>

#include <algorithm>
#include <cstring>
#include <exception>
#include <thread>
#include <utility>

#include "bench/loadgen/addresses.hpp"
#include "bench/loadgen/peer.hpp"
#include "bench/loadgen/problem.hpp"

namespace sotto::loadgen {
namespace {

[[nodiscard]] Destination look_up(const protocol::Endpoint& server) {
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const auto port = std::to_string(server.port);
    if (::getaddrinfo(server.host.c_str(), port.c_str(), &hints, &found) != 0)
        throw Problem(Exit::server, "The server's address " + server.host + " is not known.");
    const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner{found, &::freeaddrinfo};
    Destination to;
    to.address_size = found->ai_addrlen;
    std::memcpy(&to.address, found->ai_addr, found->ai_addrlen);
    to.host = server.host.find(':') == std::string::npos ? server.host : "[" + server.host + "]";
    to.host += ":" + port;
    return to;
}

/// Takes the server's first frame and goes.
class Greeter final : public Peer::Owner {
  public:
    explicit Greeter(Worker& worker) : worker_(worker), peer_(worker, 0, nullptr, *this) {}

    [[nodiscard]] Greeting ask() {
        peer_.open(Peer::As::delivery);
        const bool ready = worker_.loop().run([this] { return peer_.ready() || refused_; },
                                              Clock::now() + worker_.common().patience);
        if (!ready)
            throw Problem(Exit::server,
                          "The server doesn't answer: " + (why_.empty() ? "no connection" : why_) + ".");
        if (refused_) throw Problem(Exit::server, "The server is not to be used: " + why_ + ".");
        return peer_.greeting();
    }

    void on_lost(Peer& /*peer*/, const std::string& why) override { why_ = why; }
    void on_refused(Peer& /*peer*/, const std::string& why) override {
        why_ = why;
        refused_ = true;
    }

  private:
    Worker& worker_;
    std::string why_;
    bool refused_ = false;
    Peer peer_;
};

}  // namespace

void PagedRng::fill(std::span<std::byte> out) {
    if (out.size() > page_.size() / 4) return system_.fill(out);
    if (page_.size() - used_ < out.size()) {
        system_.fill(page_);
        used_ = 0;
    }
    copy_bytes(std::span{page_}.subspan(used_, out.size()), out);
    used_ += out.size();
}

Worker::Worker(const Common& common, Destination server) : common_(common), destination_(std::move(server)) {
    check_.pin = common.server.pin;
    destination_.tls = client::net::make_context(check_);
    // Fewer calls for a record, and a write that may stop half-way and go on from other memory.
    SSL_CTX_set_read_ahead(destination_.tls, 1);
    SSL_CTX_set_mode(destination_.tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    destination_.rng = &rng_;
}

Worker::~Worker() {
    SSL_CTX_free(destination_.tls);
}

std::optional<std::uint32_t> Worker::source(std::size_t client) const {
    if (destination_.address.ss_family != AF_INET) return std::nullopt;
    sockaddr_in to{};
    std::memcpy(&to, &destination_.address, sizeof(to));
    if (!is_loopback(ntohl(to.sin_addr.s_addr))) return std::nullopt;
    return source_address(client, common_.per_address);
}

Crew::Crew(const Common& common) : common_(common) {
    const auto server = look_up(common.server);
    for (unsigned i = 0; i < std::max(common.threads, 1U); ++i)
        workers_.push_back(std::make_unique<Worker>(common, server));
    greeting_ = Greeter{*workers_.front()}.ask();
}

void Crew::each(const std::function<void(std::size_t)>& phase) {
    std::vector<std::exception_ptr> thrown(workers_.size());
    const auto guarded = [&](std::size_t i) {
        try {
            phase(i);
        } catch (...) {
            thrown.at(i) = std::current_exception();
        }
    };
    {
        std::vector<std::jthread> threads;
        for (std::size_t i = 1; i < workers_.size(); ++i) threads.emplace_back(guarded, i);
        guarded(0);
    }
    for (const auto& exception : thrown)
        if (exception) std::rethrow_exception(exception);
}

Crew::Share Crew::share(std::size_t i, std::size_t total) const {
    const auto first = total * i / workers_.size();
    return {.first = first, .count = total * (i + 1) / workers_.size() - first};
}

void Crew::hold(std::chrono::milliseconds time) {
    const auto until = Clock::now() + time;
    each([&](std::size_t i) { (void)workers_.at(i)->loop().run([] { return false; }, until); });
}

std::map<std::string, std::uint64_t> Crew::troubles() const {
    std::map<std::string, std::uint64_t> all;
    for (const auto& worker : workers_)
        for (const auto& [what, times] : worker->troubles()) all[what] += times;
    return all;
}

void Crew::collect(Result& result) const {
    result.troubles = troubles();
    result.more["threads"] = workers_.size();
}

}  // namespace sotto::loadgen
