#include "presence_server.hpp"

#include <bit>

#include "presence_day.hpp"
#include "sotto/protocol/limits.hpp"

namespace sotto::client {
namespace {

constexpr std::int64_t patience = 30 * second;  ///< for a connection that is lost to come back
constexpr std::int64_t refused_wait = 5 * minute;
constexpr std::size_t smallest_batch = 8;
constexpr std::size_t most_topics = 2048;  ///< of each kind, that a server takes on one connection

template <class T>
void shuffle(std::vector<T>& items, crypto::Rng& rng) {
    for (std::size_t i = items.size(); i > 1; --i)
        std::swap(items[i - 1], items[static_cast<std::size_t>(rng.below(i))]);
}

}  // namespace

std::size_t PresenceServer::padded(std::size_t count) {
    return std::bit_ceil(std::max(count, smallest_batch));
}

void PresenceServer::publish(std::vector<Post> posts) {
    if (posts.size() > most_topics) posts.resize(most_topics);
    posts_ = std::move(posts);
    posts_due_ = true;
}

void PresenceServer::watch(std::set<Topic> topics) {
    while (topics.size() > most_topics) topics.erase(std::prev(topics.end()));
    wanted_ = std::move(topics);
    std::erase_if(held_, [this](const auto& entry) { return !wanted_.contains(entry.first); });
}

const Bytes* PresenceServer::held(const Topic& topic) const {
    const auto found = held_.find(topic);
    return found == held_.end() ? nullptr : &found->second;
}

// ---- what is to be said ----

void PresenceServer::queue_posts() {
    posts_due_ = false;
    publish_at_.reset();
    const auto whole = posts_.empty() && published_.empty() ? 0 : padded(posts_.size());
    while (dummies_.size() + posts_.size() > whole && !dummies_.empty()) dummies_.pop_back();
    while (dummies_.size() + posts_.size() < whole)
        dummies_.push_back({.topic = random_topic(), .write_key = core_->shell.rng.bytes<16>()});

    std::set<Topic> now;
    std::vector<wire::PresencePost> all;
    const auto add = [&](const Topic& topic, ByteView write_key, ByteView blob) {
        auto& post = all.emplace_back();
        post.set_topic(to_field(topic));
        post.set_write_key(to_field(write_key));
        post.set_blob(to_field(blob));
        now.insert(topic);
    };
    for (const auto& post : posts_) add(post.topic, post.write_key.expose(), post.blob);
    const auto size = posts_.empty() ? crypto::presence_overhead + 24 : posts_.front().blob.size();
    for (const auto& dummy : dummies_) {
        Bytes noise(size);
        core_->shell.rng.fill(noise);
        add(dummy.topic, dummy.write_key, noise);
    }
    shuffle(all, core_->shell.rng);
    for (std::size_t at = 0; at < all.size(); at += protocol::max_topics_per_frame) {
        Step step;
        auto& message = *step.request.mutable_publish_presence();
        for (auto i = at; i < std::min(all.size(), at + protocol::max_topics_per_frame); ++i) {
            step.topics.push_back(from_field<16>(all[i].topic()).value_or(Topic{}));
            *message.add_posts() = std::move(all[i]);
        }
        steps_.push_back(std::move(step));
    }
    Step gone;
    for (const auto& topic : published_) {
        if (now.contains(topic)) continue;
        gone.topics.push_back(topic);
        gone.request.mutable_withdraw_presence()->add_topics(to_field(topic));
        if (gone.topics.size() < protocol::max_topics_per_frame) continue;
        steps_.push_back(std::exchange(gone, Step{}));
    }
    if (!gone.topics.empty()) steps_.push_back(std::move(gone));
    published_ = std::move(now);
}

void PresenceServer::queue_watches() {
    std::vector<Topic> added;
    std::ranges::set_difference(wanted_, watched_, std::back_inserter(added));
    std::vector<Topic> left;
    std::ranges::set_difference(watched_, wanted_, std::back_inserter(left));
    watched_ = wanted_;
    if (!added.empty()) {
        const auto whole = padded(added.size());
        while (added.size() < whole) added.push_back(random_topic());
        shuffle(added, core_->shell.rng);
    }
    for (std::size_t at = 0; at < added.size(); at += protocol::max_topics_per_frame) {
        Step step;
        for (auto i = at; i < std::min(added.size(), at + protocol::max_topics_per_frame); ++i) {
            step.topics.push_back(added[i]);
            step.request.mutable_watch_presence()->add_topics(to_field(added[i]));
        }
        steps_.push_back(std::move(step));
    }
    for (std::size_t at = 0; at < left.size(); at += protocol::max_topics_per_frame) {
        Step step;
        for (auto i = at; i < std::min(left.size(), at + protocol::max_topics_per_frame); ++i) {
            step.topics.push_back(left[i]);
            step.request.mutable_unwatch_presence()->add_topics(to_field(left[i]));
        }
        steps_.push_back(std::move(step));
    }
}

void PresenceServer::pump() {
    if (wanted_.empty() && posts_.empty() && published_.empty()) return stop();
    if (connection_ == 0) {
        if (retry_at_ <= core_->shell.now)
            connection_ = core_->connections.open(Purpose::presence, route_.endpoint, *this);
        return;
    }
    if (!open_ || waiting_ || pause_until_ > core_->shell.now) return;
    if (steps_.empty() && wanted_ != watched_) queue_watches();
    if (steps_.empty() && (posts_due_ || (publish_at_ && *publish_at_ <= core_->shell.now))) queue_posts();
    auto* const connection = core_->connections.find(connection_);
    if (!steps_.empty() && connection != nullptr) return send_next(*connection);
    if (wanted_.empty() && posts_.empty() && dummies_.empty()) stop();
}

void PresenceServer::send_next(Connection& connection) {
    waiting_ = true;
    told_.clear();
    auto request = steps_.front().request;
    core_->connections.request(connection, request, [this](const wire::Reply* reply) {
        waiting_ = false;
        if (reply == nullptr || steps_.empty()) return;
        const auto step = std::move(steps_.front());
        steps_.pop_front();
        answered(step, reply);
    });
}

void PresenceServer::answered(const Step& step, const wire::Reply* reply) {
    if (reply->has_failure()) return refuse(step, reply->failure());
    if (reply->has_posted()) {
        for (const auto index : reply->posted().refused()) {
            if (index >= step.topics.size()) continue;
            const auto& topic = step.topics[index];
            published_.erase(topic);
            // Somebody else is there already, or there is no room: it may be free later.
            if (std::ranges::find(posts_, topic, &Post::topic) != posts_.end())
                publish_at_ = core_->shell.now + refused_wait;
        }
        return;
    }
    if (!step.request.has_watch_presence()) return;
    // Of whom nothing was told ahead of this, nothing is held.
    for (const auto& topic : step.topics)
        if (!told_.contains(topic) && held_.erase(topic) != 0) hooks_.changed(topic);
    const bool all = steps_.empty() || !steps_.front().request.has_watch_presence();
    if (!all || known_) return;
    known_ = true;
    settled_ = true;
    for (const auto& topic : wanted_) hooks_.changed(topic);
}

void PresenceServer::refuse(const Step& step, const wire::Failure& failure) {
    if (failure.code() == wire::FAILURE_RATE || failure.code() == wire::FAILURE_INTERNAL) {
        pause_until_ = core_->shell.now + std::max<std::int64_t>(second, failure.retry_after_ms());
        steps_.push_front(step);
        return;
    }
    // Not taken at all: a server that knows no presence, or has less room than others.
    if (step.request.has_watch_presence()) settled_ = true;
}

// ---- what the server says ----

void PresenceServer::take(const wire::Presences& presences) {
    for (const auto& presence : presences.presences()) {
        const auto topic = from_field<16>(presence.topic());
        if (!topic || !wanted_.contains(*topic) || presence.blob().size() > protocol::max_presence_blob)
            continue;
        told_.insert(*topic);
        if (presence.blob().empty())
            held_.erase(*topic);
        else
            held_[*topic] = to_bytes(bytes_of(presence.blob()));
        hooks_.changed(*topic);
    }
}

void PresenceServer::greeted(Connection& connection) {
    const bool named = connection.hello.server_name() == route_.server;
    const bool vouched = route_.endpoint.pin || connection.facts.verified_host == route_.server;
    if (!named || !vouched) {
        // Whoever it is, Deliveries has words for it.
        const auto id = std::exchange(connection_, 0);
        failed();
        core_->connections.close(id);
        return;
    }
    const auto offset = connection.hello.time() - core_->shell.wall;
    offset_ = connection.hello.time() != 0 && std::abs(offset) <= clock_tolerance ? offset : 0;
    open_ = true;
    open_since_ = core_->shell.now;
    forget_at_.reset();
    waiting_ = false;
    steps_.clear();
    published_.clear();
    watched_.clear();
    posts_due_ = !posts_.empty();
    hooks_.opened();
}

void PresenceServer::pushed(Connection& connection, const wire::Reply& push) {
    if (push.has_presences()) return take(push.presences());
    if (push.has_closing()) core_->connections.fail(connection.id, NetworkError::closed);
}

void PresenceServer::lost(ConnectionId id, NetworkError /*error*/, bool /*busy*/) {
    if (id != connection_) return;
    connection_ = 0;
    failed();
}

void PresenceServer::failed() {
    if (open_ && core_->shell.now - open_since_ >= steady_after) backoff_.reset();
    if (open_) forget_at_ = core_->shell.now + patience;
    open_ = false;
    waiting_ = false;
    settled_ = settled_ || !known_;
    const auto& config = core_->shell.config;
    retry_at_ = core_->shell.now + backoff_.next(config.backoff_first, config.backoff_most, core_->shell.rng);
}

void PresenceServer::forget_all() {
    forget_at_.reset();
    known_ = false;
    held_.clear();
    for (const auto& topic : wanted_) hooks_.changed(topic);
}

// ---- time ----

void PresenceServer::tick() {
    if (forget_at_ && *forget_at_ <= core_->shell.now) forget_all();
    auto* const connection = open_ ? core_->connections.find(connection_) : nullptr;
    if (connection == nullptr || !connection->pending.empty()) return;
    if (connection->last_used + core_->shell.config.ping_every > core_->shell.now) return;
    wire::Request ping;
    ping.mutable_ping();
    core_->connections.request(*connection, ping, [](const wire::Reply* /*any*/) {});
}

std::optional<std::int64_t> PresenceServer::next_deadline() const {
    std::optional<std::int64_t> deadline = forget_at_;
    if (connection_ == 0 && retry_at_ > core_->shell.now) sooner(deadline, retry_at_);
    if (!open_) return deadline;
    if (pause_until_ > core_->shell.now) sooner(deadline, pause_until_);
    sooner(deadline, publish_at_);
    if (const auto* connection = core_->connections.find(connection_);
        connection != nullptr && connection->pending.empty())
        sooner(deadline, connection->last_used + core_->shell.config.ping_every);
    return deadline;
}

void PresenceServer::stop() {
    const auto id = std::exchange(connection_, 0);
    open_ = false;
    waiting_ = false;
    known_ = false;
    forget_at_.reset();
    publish_at_.reset();
    steps_.clear();
    published_.clear();
    watched_.clear();
    dummies_.clear();
    held_.clear();
    if (id != 0) core_->connections.close(id);
}

}  // namespace sotto::client
