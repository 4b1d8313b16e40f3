// The presence connection to one server: what is to be published and watched there is brought about, and
// again after every reconnect. Names nobody: topics, write keys, blobs. docs/protocol.md section 15.3.
#pragma once

#include <deque>
#include <set>

#include "deliveries.hpp"
#include "sotto/crypto/presence.hpp"

namespace sotto::client {

class PresenceServer final : public Connections::Listener {
  public:
    using Topic = crypto::PresenceTopic;
    struct Post {
        Topic topic{};
        crypto::PresenceWriteKey write_key;
        Bytes blob;
    };
    /// `changed`: another blob is held under a watched topic, or none; `opened`: the server's clock is known.
    struct Hooks {
        std::function<void(const Topic&)> changed;
        std::function<void()> opened;
    };

    PresenceServer(Core& core, Route route, Hooks hooks)
        : core_(&core), route_(std::move(route)), hooks_(std::move(hooks)) {}

    [[nodiscard]] const Route& route() const { return route_; }
    /// In the place of what was to be published before.
    void publish(std::vector<Post> posts);
    void watch(std::set<Topic> topics);
    /// What is held under a watched topic, as far as is known.
    [[nodiscard]] const Bytes* held(const Topic& topic) const;
    /// The server has said what it holds, and the connection is there or was until a moment ago.
    [[nodiscard]] bool known() const { return known_; }
    /// It has, or couldn't be asked.
    [[nodiscard]] bool settled() const { return settled_; }
    /// How much later it is there, as far as that can be believed; ms.
    [[nodiscard]] std::int64_t clock_offset() const { return offset_; }

    void pump();
    void tick();
    [[nodiscard]] std::optional<std::int64_t> next_deadline() const;
    void stop();

    void greeted(Connection& connection) override;
    void pushed(Connection& connection, const wire::Reply& push) override;
    void lost(ConnectionId id, NetworkError error, bool busy) override;

  private:
    struct Dummy {
        Topic topic{};
        Array<16> write_key{};
    };
    struct Step {
        wire::Request request;
        std::vector<Topic> topics;  ///< in the order of the request
    };
    void queue_posts();
    void queue_watches();
    void send_next(Connection& connection);
    void answered(const Step& step, const wire::Reply* reply);
    void refuse(const Step& step, const wire::Failure& failure);
    void take(const wire::Presences& presences);
    void forget_all();
    void failed();
    [[nodiscard]] Topic random_topic() { return core_->shell.rng.bytes<16>(); }
    /// How many a batch of this size is padded to.
    [[nodiscard]] static std::size_t padded(std::size_t count);

    Core* core_;
    Route route_;
    Hooks hooks_;
    ConnectionId connection_ = 0;
    bool open_ = false;
    bool waiting_ = false;  ///< for the answer to the first step
    bool known_ = false;
    bool settled_ = false;
    std::int64_t open_since_ = 0;
    std::int64_t retry_at_ = 0;
    std::int64_t pause_until_ = 0;
    std::optional<std::int64_t> forget_at_;   ///< the connection is gone, and so soon all that it told
    std::optional<std::int64_t> publish_at_;  ///< once more, for what was refused
    std::int64_t offset_ = 0;
    Backoff backoff_;

    std::vector<Post> posts_;
    bool posts_due_ = false;
    std::vector<Dummy> dummies_;
    std::set<Topic> published_;  ///< on this connection, dummies included
    std::set<Topic> wanted_;
    std::set<Topic> watched_;  ///< on this connection
    std::set<Topic> told_;     ///< since the last step was sent
    std::map<Topic, Bytes> held_;
    std::deque<Step> steps_;
};

}  // namespace sotto::client
