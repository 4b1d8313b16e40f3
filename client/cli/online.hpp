// A profile's engine on the network, with signals as an orderly end, and what was heard on the way.
#pragma once

#include <map>
#include <memory>

#include "profile.hpp"
#include "sotto/client/runner.hpp"
#include "stop_signals.hpp"

namespace sotto::cli {

class Online {
  public:
    using Clock = client::Runner::Clock;

    [[nodiscard]] static Result<std::unique_ptr<Online>> create(Profile& profile);
    Online(const Online&) = delete;
    Online& operator=(const Online&) = delete;
    ~Online() = default;

    [[nodiscard]] client::Engine& engine() { return engine_; }
    [[nodiscard]] client::Runner& runner() { return runner_; }
    void log_in() { runner_.apply(engine_.start(client::now_ms())); }
    /// For a program that stays: contacts may be reached directly.
    void go_direct() { runner_.go_direct(client::make_direct_transport); }
    void only_send() { runner_.apply(engine_.start_sending(client::now_ms())); }
    /// Besides what this class keeps.
    void on_notice(std::function<void(const client::Notice&)> hear) { hear_ = std::move(hear); }

    // ---- heard so far ----
    [[nodiscard]] bool logged_in() const { return engine_.logged_in(); }
    [[nodiscard]] bool caught_up() const { return caught_up_; }
    /// What the server said at the last log-in.
    [[nodiscard]] const client::LoggedIn& login() const { return login_; }
    /// The last failure of the connection to our own server, while there is none.
    [[nodiscard]] const std::optional<Error>& server_away() const { return server_away_; }
    /// The last failure of an anonymous connection, while none has come up since.
    [[nodiscard]] const std::optional<Error>& delivery_away() const { return delivery_away_; }
    /// Warnings are printed as they come (each once) unless a verb takes them itself.
    [[nodiscard]] const std::vector<client::Warning>& warnings() const { return warnings_; }
    void keep_warnings_quiet() { quiet_ = true; }
    /// The first warning about a key, if any: exit code 4.
    [[nodiscard]] std::optional<Error> untrusted() const;

    /// Waits until a log-in stands; the sentence otherwise.
    [[nodiscard]] Outcome wait_for_login(std::optional<Clock::time_point> deadline);
    /// The sentence for a wait that ended early.
    [[nodiscard]] Error why_not(client::Runner::Ended ended) const;

    static constexpr std::chrono::seconds answer_time{30};   ///< for what a server has to answer
    static constexpr std::chrono::seconds farewell_time{5};  ///< for what is still owed at the end

  private:
    Online(client::Engine engine, const protocol::Endpoint& server);
    void hear(const client::Notice& notice);
    void see(const client::NetworkEvent& event);

    client::Engine engine_;
    std::string server_;
    std::unique_ptr<client::Transport> transport_;
    client::Runner runner_;
    std::function<void(const client::Notice&)> hear_;
    std::map<client::ConnectionId, client::Purpose> purposes_;
    std::optional<client::Purpose> last_down_;
    bool caught_up_ = false;
    bool quiet_ = false;
    client::LoggedIn login_;
    std::optional<Error> server_away_;
    std::optional<Error> delivery_away_;
    std::vector<client::Warning> warnings_;
    StopSignals signals_;  // last: its thread uses what stands above
};

[[nodiscard]] Exit exit_of(client::NetworkError error);

}  // namespace sotto::cli
