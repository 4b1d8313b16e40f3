// The connection to our own server: log in, keep record, prekeys and tokens published, read the mailbox.
#pragma once

#include "inbox.hpp"
#include "prekeys.hpp"

namespace sotto::client {

class Identified final : public Connections::Listener {
  public:
    Identified(Core& core, Inbox& inbox, Repair& repair) : core_(&core), inbox_(&inbox), repair_(&repair) {}

    void start();
    void stop();
    /// Acknowledges what was taken in, publishes what has changed, says when the mailbox is read to its end.
    void pump();
    void tick();
    /// What was taken in is acknowledged to the server now.
    void flush();
    /// The store can't take anything in: what was pushed comes again after another log-in.
    void back_off();
    [[nodiscard]] std::optional<std::int64_t> next_deadline() const;
    [[nodiscard]] bool online() const { return state_ == State::online; }
    [[nodiscard]] bool tokens_published() const {
        return online() && tokens_confirmed_ && !core_->tokens_stale;
    }
    /// A log-in is on its way, or the token table.
    [[nodiscard]] bool telling_tokens() const {
        return state_ == State::connecting || state_ == State::logging_in ||
               (online() && (publishing_tokens_ || core_->tokens_stale));
    }
    /// Nothing is in flight, and no log-in is on its way.
    [[nodiscard]] bool idle() const;
    /// The mailbox has been read to its end since the last log-in; true once.
    [[nodiscard]] bool mailbox_read() const;
    [[nodiscard]] std::string summary() const;

    void greeted(Connection& connection) override;
    void pushed(Connection& connection, const wire::Reply& push) override;
    void lost(ConnectionId id, NetworkError error, bool busy) override;

  private:
    enum class State : std::uint8_t { off, waiting, connecting, logging_in, online };
    void connect();
    [[nodiscard]] std::optional<Error> judge_hello(const Connection& connection) const;
    void welcome(const wire::Reply* reply);
    [[nodiscard]] bool same_record(const wire::Welcome& welcome);
    void get_ice_servers();
    void publish_records(std::uint64_t from);
    void publish_prekeys(const ServerPrekeys& held);
    void publish_tokens();
    void acknowledge();
    void report_generation();
    void clean_up();
    /// Sends on the identified connection; `done` runs if the answer is Done.
    void request(wire::Request& request, std::function<void()> done);
    void refuse(Error error, std::int64_t retry_after = 0);
    void retry(std::int64_t at_least);
    void warn_once(Error error);

    Core* core_;
    Inbox* inbox_;
    Repair* repair_;
    State state_ = State::off;
    ConnectionId connection_ = 0;
    Backoff backoff_;
    std::int64_t retry_at_ = 0;
    std::int64_t online_since_ = 0;
    std::int64_t ping_at_ = 0;
    std::int64_t ice_at_ = 0;     ///< when STUN and TURN servers are asked for again
    std::int64_t upkeep_at_ = 0;  ///< when prekeys are looked at again
    std::string tls_;
    bool next_pin_ = false;  ///< trying the second pin
    std::string last_warning_;

    std::vector<storage::EnvelopeId> to_acknowledge_;
    std::optional<std::int64_t> acknowledge_at_;
    std::size_t requests_ = 0;  ///< in flight, pings apart
    bool publishing_tokens_ = false;
    bool publishing_prekeys_ = false;
    bool tokens_confirmed_ = false;
    std::uint64_t reported_changes_ = 0;
    std::int64_t report_at_ = 0;  ///< not before: the number of reports tells the server little
    std::uint32_t waiting_ = 0;   ///< what the server said was in the mailbox
    std::uint32_t received_ = 0;  ///< since then
    std::int64_t last_push_ = 0;
};

}  // namespace sotto::client
