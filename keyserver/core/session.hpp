// One connection's side of the protocol, without the connection: frames in, calls to the shell out.
// Lives on the connection's thread. docs/protocol.md sections 12.2 to 12.4.
#pragma once

#include <optional>
#include <string>

#include "keyserver/core/hub.hpp"
#include "keyserver/core/presence.hpp"
#include "keyserver/core/wire.hpp"
#include "sotto/crypto/login.hpp"

namespace sotto::keyserver {

/// What all sessions share. The rules behind `access` and `prekeys` are only touched by work on the store.
// NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding): one a server, in the order of construction
struct Service {
    Service(Policy chosen, const Clock& time, crypto::Rng& random, StoreQueue& store, Shell& world);
    /// What the operator decided anew; buckets of open connections stay as they are.
    void set_policy(Policy next);

    LivePolicy policy;
    Counters counters;
    const Clock& clock;
    crypto::Rng& rng;
    StoreQueue& queue;
    Shell& shell;
    Access access;
    PrekeyCounter prekeys;
    Hub hub;
    Presence presence;
    /// Verifies the proofs of accounts that don't exist, so that these cost the same.
    Array<crypto::encoded_key_size> decoy;
};

enum class Purpose : std::uint8_t { identified, delivery, presence };

class Session {
  public:
    Session(Service& service, ConnectionId id, Purpose purpose, const std::optional<Array<32>>& exporter);
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;
    ~Session();

    /// Sends the hello.
    void begin();
    void receive(ByteView frame);
    /// A ping costs what a request costs. False for who sends them without end.
    [[nodiscard]] bool may_ping();
    /// A reply to one of this connection's requests has been queued.
    void answered();

    /// Nothing should be read while this is true.
    [[nodiscard]] bool saturated() const {
        const auto& limits = service_.policy->limits;
        return in_flight_ >= limits.requests_in_flight || bytes_in_flight_ >= limits.bytes_in_flight;
    }
    /// How many bytes the next frame may have.
    [[nodiscard]] std::size_t frame_limit() const;
    /// Logged in, or in no need to.
    [[nodiscard]] bool settled() const { return purpose_ != Purpose::identified || stage_ == Stage::open; }

  private:
    enum class Stage : std::uint8_t { fresh, proving, open, ended };

    void handle(wire::Request& request);
    void begin_login(std::uint32_t request, const wire::Login& login);
    void finish_login(std::uint32_t request, const crypto::LoginChallenge& challenge, const Array<64>& proof,
                      const std::optional<LoginFacts>& facts);
    void begin_registration(std::uint32_t request, const wire::Register& registration);
    void finish_registration(std::uint32_t request, const std::string& user,
                             const Answer<LoginFacts>& outcome, const crypto::Device& device);
    void open(std::uint32_t request, const std::string& user, const LoginFacts& facts, std::uint32_t device,
              const crypto::DeviceSigningKey& key);
    void publish_record(std::uint32_t request, const wire::PublishRecord& message);
    void publish_prekeys(std::uint32_t request, const wire::PublishPrekeys& message);
    void set_tokens(std::uint32_t request, const wire::SetTokens& message);
    void acknowledge(std::uint32_t request, const wire::Acknowledge& message);
    void report_generation(std::uint32_t request, const wire::ReportGeneration& message);
    void get_ice_servers(std::uint32_t request);
    void fetch_records(std::uint32_t request, const wire::FetchRecords& message);
    void fetch_prekeys(std::uint32_t request, const wire::FetchPrekeys& message);
    /// Takes the envelope out of the message.
    void deliver(std::uint32_t request, wire::Deliver& message);

    void handle_presence(wire::Request& request);
    /// Takes the blobs out of the message.
    void publish_presence(std::uint32_t request, wire::PublishPresence& message);
    void watch_presence(std::uint32_t request, const wire::WatchPresence& message);
    void withdraw_presence(std::uint32_t request, const wire::WithdrawPresence& message);
    void unwatch_presence(std::uint32_t request, const wire::UnwatchPresence& message);
    /// Refused where so many topics are too many for now.
    [[nodiscard]] bool may_touch(std::uint32_t request, int topics);

    [[nodiscard]] crypto::LoginChallenge challenge(crypto::LoginPurpose purpose, const std::string& user,
                                                   std::uint32_t device) const;
    void reply(std::string frame);
    void fail(std::uint32_t request, const Refusal& refusal);
    /// Fails and closes: a proof or a frame that was wrong gets no second try here.
    void reject(std::uint32_t request, const Refusal& refusal);
    /// The same, for a client that doesn't heed its limits.
    void give_up(std::uint32_t request, const Refusal& refusal);

    Service& service_;
    ConnectionId id_;
    Purpose purpose_;
    std::optional<Array<32>> exporter_;
    Array<protocol::nonce_size> nonce_;
    Stage stage_;
    Bucket rate_;
    Bucket changes_;
    std::uint32_t violations_ = 0;
    std::size_t in_flight_ = 0;
    std::size_t bytes_in_flight_ = 0;  ///< of unanswered requests, each taken as the mean of them

    /// What a presence connection will take with it when it goes; both sorted.
    struct Topics {
        std::vector<TopicHash> published;
        std::vector<TopicHash> watched;
        Bucket rate;
    };
    std::unique_ptr<Topics> topics_;

    DeviceKey self_;  ///< once logged in
    std::optional<crypto::DeviceSigningKey> signing_key_;
    std::uint64_t proving_since_us_ = 0;
};

}  // namespace sotto::keyserver
