// One hostile connection: as honest as its plan wants, then the plan's bytes, and what the server does about
// it. Deaf to everything that the server says.
#pragma once

#include "bench/loadgen/mischief.hpp"
#include "bench/loadgen/net/connection.hpp"

namespace sotto::loadgen {

/// How a hostile connection ended.
enum class Fate : std::uint8_t {
    left,       ///< by itself
    refused,    ///< by the server, before it had begun
    closed,     ///< by the server, after that
    outlasted,  ///< the server let it be for longer than any deadline
    failed      ///< on this side: no descriptor, no port
};
inline constexpr std::size_t fates = 5;

/// A ClientHello in its record, as the server's clients say it.
[[nodiscard]] std::string client_hello(SSL_CTX* tls);

class Raider final : public Pollable {
  public:
    /// Its last event. It may be buried in it, not destroyed.
    using Ended = std::function<void(Raider&, Fate)>;

    Raider(Loop& loop, const Destination& to, std::optional<std::uint32_t> source, Plan plan, Ended ended);
    ~Raider() override;

    void on_events(std::uint32_t events) override;
    void flush() override;

  private:
    enum class State : std::uint8_t { connecting, hesitating, securing, upgrading, acting, over };

    void connected();
    void secure();
    void ask_upgrade();
    void begin();
    void act();
    void acted();
    void listen();
    void end(Fate fate);
    void ended_by_server() { end(begun_ ? Fate::closed : Fate::refused); }
    void want(std::uint32_t events);
    /// As read() and write(): 0 at the end, negative where nothing moved; `retry` says whether it may later.
    [[nodiscard]] int read(std::span<char> into, bool& retry);
    [[nodiscard]] int write(std::string_view bytes, bool& retry);

    Loop& loop_;
    const Destination& to_;
    Plan plan_;
    Ended ended_;
    Timer timer_;  ///< until it begins, and between slow bytes
    Timer patience_;
    int fd_ = -1;
    SSL* ssl_ = nullptr;
    State state_ = State::connecting;
    bool begun_ = false;
    std::uint32_t wanted_ = 0;
    std::size_t written_ = 0;
    std::string answer_;  ///< to the upgrade
};

}  // namespace sotto::loadgen
