// The presence connection to one server: what is to be published and watched there is brought about, step by
// step, from what the server has confirmed; the same again after every reconnect. Names nobody: topics, write
// keys, blobs. docs/protocol.md section 15.3.
#pragma once

#include <set>

#include "deliveries.hpp"
#include "sotto/crypto/presence.hpp"
#include "sotto/protocol/limits.hpp"

namespace sotto::client {

/// Of each kind, that a server takes on one connection.
inline constexpr std::size_t most_presence_topics = 2048;

class PresenceServer final : public Connections::Listener {
  public:
    using Topic = crypto::PresenceTopic;
    /// What one contact is shown under a topic.
    struct Post {
        std::int64_t who = 0;     ///< the contact; negative for one that there isn't
        crypto::PresenceKey key;  ///< of the topic's day
        crypto::PresenceWriteKey write_key;
        crypto::PresenceState state;
    };
    using Posts = std::map<Topic, Post>;
    /// `changed`: what is known of a watched topic is another thing now; `opened`: the server's clock is
    /// known.
    struct Hooks {
        std::function<void(const Topic&)> changed;
        std::function<void()> opened;
    };

    PresenceServer(Core& core, Route route, Hooks hooks)
        : core_(&core), route_(std::move(route)), hooks_(std::move(hooks)) {}

    [[nodiscard]] const Route& route() const { return route_; }
    /// In the place of what was to be published before. Whoever is in it no more is told that we leave.
    void publish(Posts posts);
    void watch(std::set<Topic> topics);
    /// What is held under a watched topic, as far as is known.
    [[nodiscard]] const Bytes* held(const Topic& topic) const;
    /// The connection is there, and over it the server has said what it holds under a watched topic.
    [[nodiscard]] bool answered(const Topic& topic) const { return open_ && answered_.contains(topic); }
    /// The connection is there or was until a moment ago: what is held counts.
    [[nodiscard]] bool in_touch() const { return in_touch_; }
    /// It has said of all what it holds, or can't be asked.
    [[nodiscard]] bool settled() const { return settled_; }
    /// For who is gone without a word to come back; longer after the server itself was away.
    [[nodiscard]] std::int64_t patience() const;
    /// How much later it is there, as far as that can be believed; ms. Nothing before it has said so.
    [[nodiscard]] std::optional<std::int64_t> clock_offset() const { return offset_; }

    void pump();
    void tick();
    [[nodiscard]] std::optional<std::int64_t> next_deadline() const;
    /// Everybody who is shown something is told that we leave, and the connection is closed.
    void leave();

    void greeted(Connection& connection) override;
    void pushed(Connection& connection, const wire::Reply& push) override;
    void lost(ConnectionId id, NetworkError error, bool busy) override;

  private:
    /// A request without an answer yet.
    struct Step {
        enum class Kind : std::uint8_t { publish, parting, withdraw, watch, unwatch } kind = Kind::publish;
        std::vector<Topic> topics;  ///< in the order of the request
        std::vector<Post> posts;    ///< of the same topics
        [[nodiscard]] bool full() const { return topics.size() == protocol::max_topics_per_frame; }
    };
    [[nodiscard]] static Step step_of(Step::Kind kind) {
        Step out;
        out.kind = kind;
        return out;
    }
    [[nodiscard]] std::optional<Step> next_posts();
    [[nodiscard]] std::optional<Step> next_parting() const;
    [[nodiscard]] std::optional<Step> next_withdrawal() const;
    [[nodiscard]] std::optional<Step> next_in_round();
    void advance_round(const Step& step);
    [[nodiscard]] bool up_to_date(const Topic& topic, const Post& post) const;
    [[nodiscard]] std::optional<Step> next_watches() const;
    void add_parting(Step& step, const Topic& topic, const Post& post) const;
    [[nodiscard]] wire::Request request(const Step& step) const;
    void send(Connection& connection, Step step);
    void answered(Step step, const wire::Reply& reply);
    void posted(Step step, const wire::Reply& reply);
    void watching(const Step& step);
    void refused(Step step, const wire::Failure& failure);
    void take(const wire::Presences& presences);
    void begin_anew();
    void forget_all();
    void failed();
    void stop();

    Core* core_;
    Route route_;
    Hooks hooks_;
    ConnectionId connection_ = 0;
    bool open_ = false;
    bool in_touch_ = false;
    bool settled_ = false;
    std::int64_t open_since_ = 0;
    std::int64_t lost_at_ = 0;
    std::int64_t away_ = 0;  ///< so long before this connection
    std::int64_t retry_at_ = 0;
    std::optional<std::int64_t> forget_at_;  ///< the connection is gone, and so soon all that it told
    std::optional<std::int64_t> offset_;
    Backoff backoff_;
    std::optional<Step> step_;

    // what is published, on this connection
    Posts posts_;                             ///< is to be
    Posts published_;                         ///< is, dummies included
    std::set<Topic> refused_;                 ///< somebody else is there, or there was no room
    bool posts_due_ = false;                  ///< there may be a difference
    std::optional<Topic> round_;              ///< all are being published anew, so far up to this one
    std::int64_t posts_pause_ = 0;            ///< until then
    std::optional<std::int64_t> publish_at_;  ///< once more, for what was refused

    // what is watched, on this connection
    std::set<Topic> wanted_;  ///< is to be
    std::set<Topic> watched_;
    std::set<Topic> asked_;     ///< those, and some of which it isn't known
    std::set<Topic> told_;      ///< since the last step was sent
    std::set<Topic> answered_;  ///< the server has said what it holds
    std::map<Topic, Bytes> held_;
    std::int64_t watch_pause_ = 0;
};

}  // namespace sotto::client
