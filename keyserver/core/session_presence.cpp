// A presence connection: topics published and watched by nobody in particular. docs/protocol.md section 15.2.
#include <algorithm>

#include "keyserver/core/session.hpp"

namespace sotto::keyserver {
namespace {

using Hashes = std::vector<TopicHash>;

[[nodiscard]] bool has_duplicates(Hashes hashes) {
    std::ranges::sort(hashes);
    return std::ranges::adjacent_find(hashes) != hashes.end();
}

[[nodiscard]] bool fits_frame(int count) {
    return count > 0 && count <= static_cast<int>(protocol::max_topics_per_frame);
}

/// What is in either, sorted.
[[nodiscard]] Hashes united(const Hashes& held, Hashes added) {
    std::ranges::sort(added);
    Hashes out;
    out.reserve(held.size() + added.size());
    std::ranges::set_union(held, added, std::back_inserter(out));
    out.shrink_to_fit();
    return out;
}

[[nodiscard]] Hashes without(const Hashes& held, Hashes removed) {
    std::ranges::sort(removed);
    Hashes out;
    std::ranges::set_difference(held, removed, std::back_inserter(out));
    out.shrink_to_fit();
    return out;
}

[[nodiscard]] std::optional<Topic> read_topic(const std::string& field) {
    if (field.size() != protocol::topic_size) return std::nullopt;
    Topic out;
    std::ranges::copy(bytes_of(field), out.begin());
    return out;
}

[[nodiscard]] std::optional<Hashes> read_topics(const Presence& presence, const auto& fields) {
    Hashes out;
    for (const auto& field : fields) {
        const auto topic = read_topic(field);
        if (!topic) return std::nullopt;
        out.push_back(presence.hash_of(*topic));
    }
    if (has_duplicates(out)) return std::nullopt;
    return out;
}

}  // namespace

void Session::handle_presence(wire::Request& request) {
    const auto id = request.id();
    if (!topics_) {
        const auto& limits = service_.policy->limits;
        topics_ = std::make_unique<Topics>(
            Topics{.published = {},
                   .watched = {},
                   .rate = {limits.presence_burst, limits.presence_per_second, service_.clock.steady_ms()}});
    }
    switch (request.body_case()) {
        case wire::Request::kPublishPresence:
            return publish_presence(id, *request.mutable_publish_presence());
        case wire::Request::kWithdrawPresence:
            return withdraw_presence(id, request.withdraw_presence());
        case wire::Request::kWatchPresence:
            return watch_presence(id, request.watch_presence());
        case wire::Request::kUnwatchPresence:
            return unwatch_presence(id, request.unwatch_presence());
        default:
            return fail(id, {.code = wire::FAILURE_NOT_LOGGED_IN});
    }
}

bool Session::may_touch(std::uint32_t request, int topics) {
    if (!fits_frame(topics)) {
        fail(request, topics == 0 ? malformed : Refusal{.code = wire::FAILURE_TOO_LARGE});
        return false;
    }
    if (topics_->rate.take(service_.clock.steady_ms(), topics)) return true;
    service_.counters.add(Count::limit_topics);
    fail(request, {.code = wire::FAILURE_RATE, .retry_after_ms = topics_->rate.wait_ms(topics)});
    return false;
}

void Session::publish_presence(std::uint32_t request, wire::PublishPresence& message) {
    if (!may_touch(request, message.posts_size())) return;
    std::vector<PresencePost> posts;
    Hashes hashes;
    posts.reserve(static_cast<std::size_t>(message.posts_size()));
    hashes.reserve(posts.capacity());
    for (const auto& field : message.posts()) {
        const auto topic = read_topic(field.topic());
        if (!topic || field.write_key().size() != protocol::topic_write_key_size || field.blob().empty() ||
            field.blob().size() > protocol::max_presence_blob)
            return fail(request, malformed);
        const auto hash = service_.presence.hash_of(*topic);
        hashes.push_back(hash);
        posts.push_back({.topic = *topic,
                         .hash = hash,
                         .write_key = service_.presence.hash_of_write_key(bytes_of(field.write_key())),
                         .blob = Blob{bytes_of(field.blob())},
                         .index = static_cast<std::uint32_t>(posts.size())});
    }
    if (has_duplicates(hashes)) return fail(request, malformed);
    auto published = united(topics_->published, std::move(hashes));
    if (published.size() > service_.policy->limits.presence_per_connection)
        return fail(request, {.code = wire::FAILURE_TOO_LARGE});
    topics_->published = std::move(published);
    service_.presence.publish(id_, request, std::move(posts));
}

void Session::watch_presence(std::uint32_t request, const wire::WatchPresence& message) {
    if (!may_touch(request, message.topics_size())) return;
    std::vector<PresenceWatch> watches;
    Hashes hashes;
    watches.reserve(static_cast<std::size_t>(message.topics_size()));
    hashes.reserve(watches.capacity());
    for (const auto& field : message.topics()) {
        const auto topic = read_topic(field);
        if (!topic) return fail(request, malformed);
        const auto hash = service_.presence.hash_of(*topic);
        hashes.push_back(hash);
        watches.push_back({.topic = *topic, .hash = hash});
    }
    if (has_duplicates(hashes)) return fail(request, malformed);
    auto watched = united(topics_->watched, std::move(hashes));
    if (watched.size() > service_.policy->limits.presence_per_connection)
        return fail(request, {.code = wire::FAILURE_TOO_LARGE});
    topics_->watched = std::move(watched);
    service_.presence.watch(id_, request, watches);
}

void Session::withdraw_presence(std::uint32_t request, const wire::WithdrawPresence& message) {
    if (!may_touch(request, message.topics_size())) return;
    auto topics = read_topics(service_.presence, message.topics());
    if (!topics) return fail(request, malformed);
    topics_->published = without(topics_->published, *topics);
    service_.presence.withdraw(id_, request, *topics);
}

void Session::unwatch_presence(std::uint32_t request, const wire::UnwatchPresence& message) {
    if (!may_touch(request, message.topics_size())) return;
    auto topics = read_topics(service_.presence, message.topics());
    if (!topics) return fail(request, malformed);
    topics_->watched = without(topics_->watched, *topics);
    service_.presence.unwatch(id_, request, *topics);
}

}  // namespace sotto::keyserver
