// A thread of the load generator with everything that belongs to it. Between the phases of a job no thread
// runs, and the job may look at all of them.
#pragma once

#include <sotto/wire.pb.h>

#include <functional>
#include <map>
#include <memory>

#include "bench/loadgen/net/connection.hpp"
#include "bench/loadgen/options.hpp"
#include "bench/loadgen/result.hpp"
#include "client/net/tls.hpp"

namespace sotto::loadgen {

/// In which the server ends what came before.
inline constexpr std::chrono::milliseconds quiet_time{2000};

/// The system's generator, a page at a time: masks and envelope ids are small and many.
class PagedRng final : public crypto::Rng {
  public:
    void fill(std::span<std::byte> out) override;

  private:
    crypto::SystemRng system_;
    Array<4096> page_{};
    std::size_t used_ = 4096;
};

/// What the server said of itself.
struct Greeting {
    std::string server_name;
    wire::Registration registration = wire::REGISTRATION_CLOSED;
    bool unbound = false;
    std::size_t max_envelope = 0;
};

class Worker {
  public:
    Worker(const Common& common, Destination server);
    ~Worker();
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    [[nodiscard]] const Common& common() const { return common_; }
    [[nodiscard]] Loop& loop() { return loop_; }
    [[nodiscard]] const Destination& destination() const { return destination_; }
    [[nodiscard]] PagedRng& rng() { return rng_; }
    /// Where the client with this number comes from; nothing where the system has to choose.
    [[nodiscard]] std::optional<std::uint32_t> source(std::size_t client) const;

    /// Something that went wrong and didn't end the job.
    void note(const std::string& what) { ++troubles_[what]; }
    [[nodiscard]] const std::map<std::string, std::uint64_t>& troubles() const { return troubles_; }

    // One frame at a time: the memory of these is used again and again.
    wire::Request request;
    wire::Reply reply;
    std::string frame;

  private:
    const Common& common_;
    Loop loop_;
    PagedRng rng_;
    client::net::CertificateCheck check_;
    Destination destination_;
    std::map<std::string, std::uint64_t> troubles_;
};

/// All workers, and the phases of a job.
class Crew {
  public:
    /// Looks the server up and asks it who it is. Throws Problem.
    explicit Crew(const Common& common);

    [[nodiscard]] const Common& common() const { return common_; }
    [[nodiscard]] std::size_t size() const { return workers_.size(); }
    [[nodiscard]] Worker& worker(std::size_t i) { return *workers_.at(i); }
    [[nodiscard]] const Greeting& greeting() const { return greeting_; }

    /// Runs `phase(i)` for each worker on a thread of its own; one that throws is thrown on when all have
    /// ended.
    void each(const std::function<void(std::size_t)>& phase);
    /// How many of `total` things the worker i has, and the number of its first one.
    struct Share {
        std::size_t first = 0;
        std::size_t count = 0;
    };
    [[nodiscard]] Share share(std::size_t i, std::size_t total) const;
    /// Nothing but serving connections, for so long.
    void hold(std::chrono::milliseconds time);
    /// Of all workers.
    [[nodiscard]] std::map<std::string, std::uint64_t> troubles() const;
    /// Adds them to the result, and with how many threads it was found.
    void collect(Result& result) const;

  private:
    const Common& common_;
    Greeting greeting_;
    std::vector<std::unique_ptr<Worker>> workers_;
};

}  // namespace sotto::loadgen
