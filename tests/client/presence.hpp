// Three people who see each other come and go, and what their server sees of it.
#pragma once

#include "client/circle.hpp"
#include "sotto/crypto/presence.hpp"

namespace sotto::client::test {

inline constexpr std::int64_t a_minute = 60LL * 1000;
inline constexpr std::int64_t an_hour = 60 * a_minute;

/// What a server that remembers everything knows of presence.
class Sight {
  public:
    using Topics = std::set<std::string>;
    explicit Sight(SimServer& server) : server_(&server) {
        server.remember = [this](keyserver::ConnectionId by, const wire::Request& request) {
            see(by, request);
        };
    }
    Sight(const Sight&) = delete;
    Sight& operator=(const Sight&) = delete;
    ~Sight() { server_->remember = nullptr; }

    int publications = 0;
    int requests = 0;                          ///< of any kind, pings apart
    std::map<std::string, Topics> write_keys;  ///< of each, what it was shown for
    std::map<std::string, Topics> keys_of;     ///< of each topic
    std::map<keyserver::ConnectionId, Topics> published;
    std::map<keyserver::ConnectionId, Topics> watched;
    std::vector<Topics> withdrawn;  ///< request by request
    std::size_t most_published = 0;
    /// Of the newest connection that has published, or watched.
    [[nodiscard]] Topics now_published() const { return last(published); }
    [[nodiscard]] Topics now_watched() const { return last(watched); }

  private:
    static Topics last(const std::map<keyserver::ConnectionId, Topics>& all) {
        return all.empty() ? Topics{} : all.rbegin()->second;
    }
    void see(keyserver::ConnectionId by, const wire::Request& request) {
        if (request.has_publish_presence()) {
            ++publications;
            for (const auto& post : request.publish_presence().posts()) {
                write_keys[post.write_key()].insert(post.topic());
                keys_of[post.topic()].insert(post.write_key());
                published[by].insert(post.topic());
            }
            most_published = std::max(most_published, published[by].size());
        } else if (request.has_withdraw_presence()) {
            auto& gone = withdrawn.emplace_back();
            for (const auto& topic : request.withdraw_presence().topics()) {
                published[by].erase(topic);
                gone.insert(topic);
            }
        } else if (request.has_watch_presence()) {
            for (const auto& topic : request.watch_presence().topics()) watched[by].insert(topic);
        } else if (request.has_unwatch_presence()) {
            for (const auto& topic : request.unwatch_presence().topics()) watched[by].erase(topic);
        } else {
            return;
        }
        ++requests;
    }
    SimServer* server_;
};

[[nodiscard]] inline Sight::Topics both(const Sight::Topics& one, const Sight::Topics& two) {
    Sight::Topics out;
    std::ranges::set_intersection(one, two, std::inserter(out, out.end()));
    return out;
}

class PresenceTest : public testing::Test {
  protected:
    void SetUp() override { ASSERT_NO_FATAL_FAILURE(circle.befriend()); }

    static std::int64_t id(Client& client, const std::string& name) { return client.contact(name)->id; }
    static PresenceView view(Client& client, const std::string& name) {
        return client.engine().presence(id(client, name));
    }
    void online(Client& client, bool publish = true) {
        client.apply([&] { return client.engine().go_online(publish, world.clock.wall()); });
    }
    void choose(Client& client, PresenceChoice choice, const std::string& text = "") {
        client.apply(
            [&] { return client.engine().choose_presence(choice, text, world.clock.wall()).value(); });
    }
    void visible(Client& client, const std::string& name, bool yes) {
        client.apply(
            [&] { return client.engine().set_visible(id(client, name), yes, world.clock.wall()).value(); });
    }
    bool sees(Client& client, const std::string& name, PresenceKind kind, std::int64_t limit = 60'000) {
        return world.run([&] { return view(client, name).kind == kind; }, limit);
    }
    /// Alice and Bob, both online and seen so by the other.
    void meet() {
        online(alice);
        online(bob);
        ASSERT_TRUE(sees(alice, "bob", PresenceKind::online));
        ASSERT_TRUE(sees(bob, "alice", PresenceKind::online));
        ASSERT_TRUE(world.settle());
    }
    /// The kinds that this client was told of this contact, since notices were forgotten.
    std::vector<PresenceKind> told(Client& client, const std::string& name) {
        std::vector<PresenceKind> out;
        for (const auto& notice : client.notices<PresenceChanged>())
            if (notice.contact == id(client, name)) out.push_back(notice.view.kind);
        return out;
    }

    /// The day by the clock that all have.
    [[nodiscard]] std::uint32_t today() const {
        return static_cast<std::uint32_t>(world.clock.wall() / a_day);
    }
    /// What one shows to the other is found under this topic today.
    std::string topic_today(Client& client, const std::string& name) {
        const auto row = client.store().presence(id(client, name));
        const auto topic =
            crypto::presence_topic(*crypto::presence_key_at(row->own->key, row->own->day, today()));
        return std::string{chars_of(topic)};
    }
    /// Nobody runs while the clocks go to so long before midnight; a day is few events from there.
    void go_before_midnight(std::int64_t before) {
        world.config.ping_every = 10 * a_minute;
        for (auto* const client : {&alice, &bob, &carol}) client->stop();
        world.clock.set_by += a_day - world.clock.wall() % a_day - before;
    }
    void come(Client& client, bool publish = true) {
        client.start();
        online(client, publish);
    }

    Circle circle{3};
    World& world = circle.world;
    Client& alice = circle.alice;
    Client& bob = circle.bob;
    Client& carol = circle.carol;
};

}  // namespace sotto::client::test
