// A client of the key server: connects, logs in, comes back when it was cut off, passes frames on.
#pragma once

#include <utility>

#include "bench/loadgen/backoff.hpp"
#include "bench/loadgen/identity.hpp"
#include "bench/loadgen/worker.hpp"

namespace sotto::loadgen {

class Peer final : private Connection::Events {
  public:
    enum class As : std::uint8_t { delivery, presence, registration, login };

    class Owner {
      public:
        virtual ~Owner() = default;
        /// Connected, and logged in unless nobody logs in there.
        virtual void on_ready(Peer& /*peer*/) {}
        /// Everything but what belongs to coming and going.
        virtual void on_reply(Peer& /*peer*/, const wire::Reply& /*reply*/) {}
        /// An attempt failed, or the connection ended. It tries again by itself, unless it was told not to.
        virtual void on_lost(Peer& /*peer*/, const std::string& /*why*/) {}
        /// The server won't have it: it doesn't try again.
        virtual void on_refused(Peer& /*peer*/, const std::string& /*why*/) {}
        /// After `leave`.
        virtual void on_left(Peer& /*peer*/) {}
    };

    /// `number` says where it comes from. `self` may be null if it only delivers.
    Peer(Worker& worker, std::size_t number, const Identity* self, Owner& owner);
    ~Peer() override;
    Peer(const Peer&) = delete;
    Peer& operator=(const Peer&) = delete;

    /// `invite`: for a registration.
    void open(As as, std::string invite = {});
    void leave();
    /// Another owner for what comes; returns the one before.
    Owner& belongs_to(Owner& owner) { return *std::exchange(owner_, &owner); }
    /// Whether it comes back after a loss; it does by itself.
    void come_back(bool yes) { comes_back_ = yes; }

    [[nodiscard]] bool ready() const { return stage_ == Stage::ready; }
    [[nodiscard]] std::size_t number() const { return number_; }
    [[nodiscard]] const Identity& self() const { return *self_; }
    [[nodiscard]] const Greeting& greeting() const { return greeting_; }
    /// When it began to try: at `open`, or when the connection was lost.
    [[nodiscard]] Time since() const { return since_; }
    /// Connections that were ready and ended without having been left.
    [[nodiscard]] std::uint64_t losses() const { return losses_; }
    /// Envelopes that wait in the mailbox, as the last Welcome had it.
    [[nodiscard]] std::uint32_t waiting() const { return waiting_; }

    /// Gives the request its number and queues it.
    std::uint32_t send(wire::Request& request);
    /// Once it is ready: reads nothing any more, whatever the server says.
    void deafen() { connection_->deafen(); }
    /// A ping of WebSocket's own; at most 125 bytes.
    void ping(std::string_view payload) { connection_->ping(payload); }
    /// Bytes that the server has not taken yet.
    [[nodiscard]] std::size_t unsent() const { return connection_ ? connection_->unsent() : 0; }

  private:
    enum class Stage : std::uint8_t { away, coming, proving, ready, leaving };

    void opened() override;
    void received(std::string_view message) override;
    void ended(const Ending& ending) override;

    void attempt();
    void greeted(const wire::Hello& hello);
    void answered(const wire::Reply& reply);
    void gone(const std::string& why, std::chrono::milliseconds retry_after);
    void refuse(const std::string& why);
    void abandon();

    Worker& worker_;
    std::size_t number_;
    const Identity* self_;
    Owner* owner_;
    std::unique_ptr<Connection> connection_;
    Timer timer_;
    Backoff backoff_;
    As as_ = As::delivery;
    Stage stage_ = Stage::away;
    bool comes_back_ = true;
    std::string invite_;
    Greeting greeting_;
    std::chrono::milliseconds retry_after_{0};
    Time since_;
    std::uint64_t losses_ = 0;
    std::uint32_t last_request_ = 0;
    std::uint32_t waiting_ = 0;
};

[[nodiscard]] inline std::int64_t us_since(Time begin) {
    return std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - begin).count();
}

/// "FAILURE_RATE" and the like.
[[nodiscard]] std::string name_of(wire::FailureCode code);
/// True where the same request may succeed later.
[[nodiscard]] bool passes(wire::FailureCode code);

}  // namespace sotto::loadgen
