// The loop that drives an engine over a transport, on the thread that calls it.
#pragma once

#include <atomic>
#include <functional>
#include <memory>

#include "sotto/client/engine.hpp"

namespace sotto::client {

/// Milliseconds since 1970, as the engine counts.
[[nodiscard]] std::int64_t now_ms();

/// Carries out what an engine or a registration asked for.
void perform(Transport& transport, std::vector<Action> actions);

/// How long to wait for the network so that neither `deadline` nor an engine's own `next` (ms since 1970) is
/// missed.
[[nodiscard]] std::chrono::steady_clock::time_point wait_until(std::chrono::steady_clock::time_point deadline,
                                                               std::optional<std::int64_t> next);

class Runner {
  public:
    using Clock = std::chrono::steady_clock;
    enum class Ended : std::uint8_t { done, timeout, interrupted };

    /// Both outlive the runner.
    Runner(Engine& engine, Transport& transport);
    Runner(const Runner&) = delete;
    Runner& operator=(const Runner&) = delete;
    ~Runner();

    /// Called for every notice, on the running thread; it may give the engine commands and `apply` what they
    /// return.
    void on_notice(std::function<void(const Notice&)> hear) { hear_ = std::move(hear); }
    /// Called for what happens on the network and what is asked of it, before it is handled: for logs.
    void on_event(std::function<void(const NetworkEvent&)> see) { see_ = std::move(see); }
    void on_action(std::function<void(const Action&)> see) { see_action_ = std::move(see); }

    /// Direct sessions from now on, over the transport that `make` gives (make_direct_transport).
    void go_direct(const std::function<std::unique_ptr<DirectTransport>(DirectTransport::Sink sink)>& make);
    /// What is heard and asked of it, as above.
    void on_direct_event(std::function<void(const DirectEvent&)> see) { see_direct_ = std::move(see); }

    /// Carries out an engine's output and passes its notices on.
    void apply(Output output);

    /// Until `done` (looked at after everything that happens), the deadline, or interrupt().
    Ended run(const std::function<bool()>& done, std::optional<Clock::time_point> deadline = std::nullopt);

    /// Ends run() now and every later one at its first turn; from any thread.
    void interrupt();
    [[nodiscard]] bool interrupted() const { return interrupted_; }
    /// Makes run() look at `done` again; from any thread.
    void poke() { transport_->wake(); }

    /// Sends what is owed and waits until nothing is in flight, for at most `patience`, interrupted or not;
    /// then closes all connections. False if something was still in flight.
    bool finish(std::chrono::milliseconds patience);

  private:
    class Paths;
    bool turn(Clock::time_point deadline);
    void take_direct();

    Engine* engine_;
    Transport* transport_;
    std::function<void(const Notice&)> hear_;
    std::function<void(const NetworkEvent&)> see_;
    std::function<void(const Action&)> see_action_;
    std::function<void(const DirectEvent&)> see_direct_;
    std::atomic<bool> interrupted_ = false;
    std::unique_ptr<Paths> paths_;
};

}  // namespace sotto::client
