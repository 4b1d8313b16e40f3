#include "presence_server.hpp"

#include "presence_day.hpp"
#include "sotto/protocol/limits.hpp"

namespace sotto::client {
namespace {

constexpr std::int64_t connection_patience = 30 * second;  ///< for one that is lost to come back
constexpr std::int64_t publisher_patience = 10 * second;   ///< for who is gone without a word
constexpr std::int64_t most_patience = 60 * second;
constexpr std::int64_t refused_wait = 5 * minute;

[[nodiscard]] PresenceServer::Post copy(const PresenceServer::Post& post) {
    return {
        .who = post.who, .key = post.key.clone(), .write_key = post.write_key.clone(), .state = post.state};
}

}  // namespace

void PresenceServer::publish(Posts posts) {
    posts_ = std::move(posts);
    posts_due_ = true;
    if (round_ && posts_.upper_bound(*round_) == posts_.end()) round_.reset();
    if (posts_.empty()) publish_at_.reset();
}

void PresenceServer::watch(std::set<Topic> topics) {
    wanted_ = std::move(topics);
    std::erase_if(held_, [this](const auto& entry) { return !wanted_.contains(entry.first); });
    std::erase_if(answered_, [this](const Topic& topic) { return !wanted_.contains(topic); });
}

const Bytes* PresenceServer::held(const Topic& topic) const {
    const auto found = held_.find(topic);
    return found == held_.end() ? nullptr : &found->second;
}

std::int64_t PresenceServer::patience() const {
    // Others wait for the next attempt as we did, the longer the more they have made.
    const bool again = core_->shell.now - open_since_ < most_patience;
    return std::clamp(again ? 2 * away_ : 0, publisher_patience, most_patience);
}

// ---- what is published ----

bool PresenceServer::up_to_date(const Topic& topic, const Post& post) const {
    if (refused_.contains(topic)) return true;
    const auto found = published_.find(topic);
    return found != published_.end() && found->second.state == post.state;
}

void PresenceServer::add_parting(Step& step, const Topic& topic, const Post& post) const {
    auto last = copy(post);
    last.state = {.status = crypto::PresenceStatus::leaving,
                  .capabilities = 0,
                  .device = post.state.device,
                  .since = std::max<std::int64_t>(core_->shell.wall, 0),
                  .text = {}};
    step.topics.push_back(topic);
    step.posts.push_back(std::move(last));
}

/// Those who are shown nothing any more. Who goes on under another topic isn't left.
std::optional<PresenceServer::Step> PresenceServer::next_parting() const {
    std::set<std::int64_t> staying;
    for (const auto& [topic, post] : posts_) staying.insert(post.who);
    auto step = step_of(Step::Kind::parting);
    for (const auto& [topic, post] : published_) {
        if (step.full()) break;
        if (!staying.contains(post.who) && post.state.status != crypto::PresenceStatus::leaving)
            add_parting(step, topic, post);
    }
    if (step.topics.empty()) return std::nullopt;
    return step;
}

std::optional<PresenceServer::Step> PresenceServer::next_withdrawal() const {
    auto step = step_of(Step::Kind::withdraw);
    const auto add = [&](const Topic& topic) {
        if (!step.full() && !posts_.contains(topic)) step.topics.push_back(topic);
    };
    for (const auto& [topic, post] : published_) add(topic);
    // They count at the server, too.
    for (const auto& topic : refused_)
        if (!published_.contains(topic)) add(topic);
    if (step.topics.empty()) return std::nullopt;
    return step;
}

/// All at once, so that it isn't seen whose has changed. They are in the order of their topics, which is
/// none.
std::optional<PresenceServer::Step> PresenceServer::next_in_round() {
    auto from = round_ ? posts_.upper_bound(*round_) : posts_.begin();
    const auto due = [this](const auto& each) { return !up_to_date(each.first, each.second); };
    const bool again = publish_at_ && *publish_at_ <= core_->shell.now;
    if (!round_ && !again && std::ranges::none_of(posts_, due)) return std::nullopt;
    auto step = step_of(Step::Kind::publish);
    for (; from != posts_.end() && !step.full(); ++from) {
        step.topics.push_back(from->first);
        step.posts.push_back(copy(from->second));
    }
    if (step.topics.empty()) return std::nullopt;
    return step;
}

void PresenceServer::advance_round(const Step& step) {
    round_ = step.topics.back();
    if (posts_.upper_bound(*round_) == posts_.end()) round_.reset();
}

std::optional<PresenceServer::Step> PresenceServer::next_posts() {
    if (publish_at_ && *publish_at_ <= core_->shell.now) posts_due_ = true;
    if (!posts_due_) return std::nullopt;
    if (auto step = next_parting()) return step;
    auto withdrawal = next_withdrawal();
    auto all = refused_;
    for (const auto* const each : {&posts_, &published_})
        for (const auto& [topic, post] : *each) all.insert(topic);
    if (withdrawal && all.size() > most_presence_topics) return withdrawal;
    if (auto step = next_in_round()) return step;
    if (!withdrawal) posts_due_ = false;
    return withdrawal;
}

void PresenceServer::posted(Step step, const wire::Reply& reply) {
    if (step.kind == Step::Kind::publish) {
        if (!round_) publish_at_.reset();
        advance_round(step);
    }
    std::set<std::size_t> refused;
    for (const auto index : reply.posted().refused()) refused.insert(index);
    for (std::size_t i = 0; i < step.topics.size(); ++i) {
        const auto& topic = step.topics[i];
        if (!refused.contains(i)) {
            refused_.erase(topic);
            published_.insert_or_assign(topic, std::move(step.posts[i]));
            continue;
        }
        published_.erase(topic);
        refused_.insert(topic);
        // It may be free later.
        if (posts_.contains(topic)) publish_at_ = core_->shell.now + refused_wait;
    }
}

// ---- what is watched ----

std::optional<PresenceServer::Step> PresenceServer::next_watches() const {
    // Leaving first makes room.
    for (const auto kind : {Step::Kind::unwatch, Step::Kind::watch}) {
        const bool more = kind == Step::Kind::watch;
        auto step = step_of(kind);
        for (const auto& topic : more ? wanted_ : asked_)
            if (!step.full() && !(more ? watched_ : wanted_).contains(topic)) step.topics.push_back(topic);
        if (!step.topics.empty()) return step;
    }
    return std::nullopt;
}

void PresenceServer::watching(const Step& step) {
    for (const auto& topic : step.topics) {
        watched_.insert(topic);
        asked_.insert(topic);
        if (!wanted_.contains(topic)) continue;
        answered_.insert(topic);
        // Of whom nothing was told ahead of this, nothing is held.
        if (!told_.contains(topic)) held_.erase(topic);
    }
    for (const auto& topic : step.topics) hooks_.changed(topic);
    settled_ = settled_ || std::ranges::includes(watched_, wanted_);
}

void PresenceServer::take(const wire::Presences& presences) {
    for (const auto& presence : presences.presences()) {
        const auto topic = from_field<16>(presence.topic());
        if (!topic || !wanted_.contains(*topic) || presence.blob().size() > protocol::max_presence_blob)
            continue;
        told_.insert(*topic);
        answered_.insert(*topic);
        if (presence.blob().empty())
            held_.erase(*topic);
        else
            held_[*topic] = to_bytes(bytes_of(presence.blob()));
        hooks_.changed(*topic);
    }
}

// ---- steps ----

wire::Request PresenceServer::request(const Step& step) const {
    wire::Request out;
    const auto name = [&](auto& message) {
        for (const auto& topic : step.topics) message.add_topics(to_field(topic));
    };
    switch (step.kind) {
        case Step::Kind::publish:
        case Step::Kind::parting:
            for (std::size_t i = 0; i < step.topics.size(); ++i) {
                const auto& post = step.posts[i];
                auto& field = *out.mutable_publish_presence()->add_posts();
                field.set_topic(to_field(step.topics[i]));
                field.set_write_key(to_field(post.write_key.expose()));
                field.set_blob(to_field(crypto::seal_presence(post.key, post.state, core_->shell.rng)));
            }
            break;
        case Step::Kind::withdraw:
            name(*out.mutable_withdraw_presence());
            break;
        case Step::Kind::watch:
            name(*out.mutable_watch_presence());
            break;
        case Step::Kind::unwatch:
            name(*out.mutable_unwatch_presence());
            break;
    }
    return out;
}

void PresenceServer::pump() {
    if (wanted_.empty() && posts_.empty() && published_.empty()) return stop();
    if (connection_ == 0) {
        if (retry_at_ <= core_->shell.now)
            connection_ = core_->connections.open(Purpose::presence, route_.endpoint, *this);
        return;
    }
    auto* const connection = open_ && !step_ ? core_->connections.find(connection_) : nullptr;
    if (connection == nullptr) return;
    // One doesn't wait for what was refused to the other.
    if (posts_pause_ <= core_->shell.now)
        if (auto step = next_posts()) return send(*connection, std::move(*step));
    if (watch_pause_ <= core_->shell.now)
        if (auto step = next_watches()) return send(*connection, std::move(*step));
}

void PresenceServer::send(Connection& connection, Step step) {
    if (step.kind == Step::Kind::watch) told_.clear();
    auto message = request(step);
    step_ = std::move(step);
    core_->connections.request(connection, message, [this](const wire::Reply* reply) {
        auto done = std::exchange(step_, std::nullopt);
        if (reply != nullptr && done) answered(std::move(*done), *reply);
    });
}

void PresenceServer::answered(Step step, const wire::Reply& reply) {
    if (reply.has_failure()) return refused(std::move(step), reply.failure());
    switch (step.kind) {
        case Step::Kind::publish:
        case Step::Kind::parting:
            return posted(std::move(step), reply);
        case Step::Kind::withdraw:
            for (const auto& topic : step.topics) {
                published_.erase(topic);
                refused_.erase(topic);
            }
            return;
        case Step::Kind::watch:
            return watching(step);
        case Step::Kind::unwatch:
            for (const auto& topic : step.topics) {
                watched_.erase(topic);
                asked_.erase(topic);
            }
            return;
    }
}

void PresenceServer::refused(Step step, const wire::Failure& failure) {
    const bool watches = step.kind == Step::Kind::watch || step.kind == Step::Kind::unwatch;
    const bool later = failure.code() == wire::FAILURE_RATE || failure.code() == wire::FAILURE_INTERNAL;
    const auto wait = later ? std::max<std::int64_t>(second, failure.retry_after_ms()) : refused_wait;
    if (watches) {
        watch_pause_ = core_->shell.now + wait;
        // Some of it may have been taken. Of the rest nothing can be said for now.
        if (later && step.kind == Step::Kind::watch) asked_.insert(step.topics.begin(), step.topics.end());
        settled_ = true;
        return;
    }
    if (later) {
        posts_pause_ = core_->shell.now + wait;
        return;
    }
    // Not taken at all: a server that knows no presence, or has less room than others.
    if (step.kind == Step::Kind::publish) {
        advance_round(step);
        refused_.insert(step.topics.begin(), step.topics.end());
        publish_at_ = core_->shell.now + wait;
    }
    for (const auto& topic : step.topics) {
        published_.erase(topic);
        if (step.kind == Step::Kind::withdraw) refused_.erase(topic);
    }
}

// ---- the connection ----

void PresenceServer::begin_anew() {
    step_.reset();
    published_.clear();
    refused_.clear();
    round_.reset();
    publish_at_.reset();
    posts_pause_ = 0;
    posts_due_ = true;
    watched_.clear();
    asked_.clear();
    answered_.clear();
    watch_pause_ = 0;
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
    away_ = lost_at_ == 0 ? 0 : core_->shell.now - lost_at_;
    open_ = true;
    in_touch_ = true;
    open_since_ = core_->shell.now;
    forget_at_.reset();
    begin_anew();
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
    if (open_) {
        if (core_->shell.now - open_since_ >= steady_after) backoff_.reset();
        lost_at_ = core_->shell.now;
        forget_at_ = core_->shell.now + connection_patience;
    }
    open_ = false;
    settled_ = true;
    const auto& config = core_->shell.config;
    retry_at_ = core_->shell.now + backoff_.next(config.backoff_first, config.backoff_most, core_->shell.rng);
}

void PresenceServer::forget_all() {
    forget_at_.reset();
    in_touch_ = false;
    held_.clear();
    for (const auto& topic : wanted_) hooks_.changed(topic);
}

void PresenceServer::leave() {
    auto* const connection = open_ ? core_->connections.find(connection_) : nullptr;
    if (connection != nullptr) {
        auto all = std::move(published_);
        // What is on its way will have come before this does.
        if (step_ && step_->kind == Step::Kind::publish)
            for (std::size_t i = 0; i < step_->topics.size(); ++i)
                all.insert_or_assign(step_->topics[i], std::move(step_->posts[i]));
        auto last = step_of(Step::Kind::parting);
        const auto say = [&] {
            if (last.topics.empty()) return;
            auto message = request(std::exchange(last, step_of(Step::Kind::parting)));
            core_->connections.request(*connection, message, [](const wire::Reply* /*none comes*/) {});
        };
        for (const auto& [topic, post] : all) {
            if (post.state.status != crypto::PresenceStatus::leaving) add_parting(last, topic, post);
            if (last.full()) say();
        }
        say();
    }
    stop();
}

void PresenceServer::stop() {
    const auto id = std::exchange(connection_, 0);
    open_ = false;
    in_touch_ = false;
    forget_at_.reset();
    lost_at_ = 0;
    begin_anew();
    held_.clear();
    if (id != 0) core_->connections.close(id);
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
    // While a step waits for its answer, nothing else can be done.
    if (!step_) {
        if (posts_due_ && posts_pause_ > core_->shell.now) sooner(deadline, posts_pause_);
        if (publish_at_) sooner(deadline, std::max(*publish_at_, posts_pause_));
        if (watch_pause_ > core_->shell.now) sooner(deadline, watch_pause_);
    }
    if (const auto* connection = core_->connections.find(connection_);
        connection != nullptr && connection->pending.empty())
        sooner(deadline, connection->last_used + core_->shell.config.ping_every);
    return deadline;
}

}  // namespace sotto::client
