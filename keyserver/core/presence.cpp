#include "keyserver/core/presence.hpp"

#include <algorithm>

#include "keyserver/core/wire.hpp"

namespace sotto::keyserver {

// ---- one thread's part ----

PresencePart::PresencePart(const crypto::ShortHashKey& key, Counters& counters, Shell& shell)
    : key_(key), counters_(&counters), shell_(&shell), index_(0, Hash{this}, Equal{this}) {}

PresencePart::Entry* PresencePart::find(TopicHash hash) {
    const auto found = index_.find(hash);
    return found == index_.end() ? nullptr : &entries_[*found];
}

PresencePart::Entry* PresencePart::find_or_make(const Topic& topic, TopicHash hash, std::size_t most_topics) {
    if (auto* const found = find(hash)) return found;
    if (index_.size() >= most_topics) {
        counters_->add(Count::limit_topics);
        return nullptr;
    }
    std::uint32_t slot = 0;
    if (free_.empty()) {
        slot = static_cast<std::uint32_t>(entries_.size());
        entries_.emplace_back();
    } else {
        slot = free_.back();
        free_.pop_back();
    }
    entries_[slot].topic = topic;
    index_.insert(slot);
    topics_.store(index_.size(), std::memory_order_relaxed);
    return &entries_[slot];
}

void PresencePart::tidy(TopicHash hash) {
    const auto found = index_.find(hash);
    if (found == index_.end()) return;
    const auto slot = *found;
    auto& entry = entries_[slot];
    if (entry.blob || entry.watchers != 0) return;
    index_.erase(found);
    crypto::wipe(entry.topic.data(), entry.topic.size());
    entry = Entry{};
    free_.push_back(slot);
    topics_.store(index_.size(), std::memory_order_relaxed);
    if (index_.empty()) {
        // A quiet hour gives back what a busy one took.
        entries_.clear();
        entries_.shrink_to_fit();
        free_ = std::vector<std::uint32_t>{};  // `{}` would keep the memory
        index_.rehash(0);
        crowds_ = std::vector<std::vector<ConnectionId>>{};
        free_crowds_ = std::vector<std::size_t>{};
    }
}

void PresencePart::tell(const Entry& entry, Shell::Pushes& pushes) {
    if (entry.watchers == 0) return;
    auto frame = std::make_shared<const std::string>(presence_frame(entry.topic, entry.blob.view()));
    if ((entry.watchers & several) == 0) {
        pushes.emplace_back(entry.watchers, std::move(frame));
        return;
    }
    for (const auto watcher : crowd_of(entry)) pushes.emplace_back(watcher, frame);
}

void PresencePart::push(Shell::Pushes pushes) {
    if (pushes.empty()) return;
    counters_->add(Count::presence_pushed, pushes.size());
    shell_->push_all(std::move(pushes));
}

bool PresencePart::publish(ConnectionId by, PresencePost& post, std::size_t most_topics,
                           Shell::Pushes& pushes) {
    auto* const entry = find_or_make(post.topic, post.hash, most_topics);
    if (entry == nullptr) return false;
    if (entry->blob && entry->write_key != post.write_key) return false;
    if (!entry->blob) held_.fetch_add(1, std::memory_order_relaxed);
    entry->write_key = post.write_key;
    entry->owner = by;
    entry->blob = std::move(post.blob);
    tell(*entry, pushes);
    return true;
}

void PresencePart::publish(ConnectionId by, std::vector<PresencePost>& posts, std::size_t most_topics,
                           std::vector<std::uint32_t>& refused) {
    Shell::Pushes pushes;
    pushes.reserve(posts.size());
    for (auto& post : posts) {
        const bool taken = publish(by, post, most_topics, pushes);
        counters_->add(taken ? Count::presence_published : Count::presence_refused);
        if (!taken) refused.push_back(post.index);
    }
    push(std::move(pushes));
}

void PresencePart::withdraw(ConnectionId by, const std::vector<TopicHash>& topics) {
    Shell::Pushes pushes;
    pushes.reserve(topics.size());
    for (const auto hash : topics) {
        auto* const entry = find(hash);
        // Who took a topic over keeps it.
        if (entry == nullptr || !entry->blob || entry->owner != by) continue;
        entry->blob = Blob{};
        entry->owner = 0;
        entry->write_key = 0;
        held_.fetch_sub(1, std::memory_order_relaxed);
        tell(*entry, pushes);
        tidy(hash);
    }
    push(std::move(pushes));
}

bool PresencePart::add_watcher(Entry& entry, ConnectionId watcher, std::size_t most) {
    if (entry.watchers == watcher) return true;
    if (entry.watchers == 0) {
        entry.watchers = watcher;
        return true;
    }
    if ((entry.watchers & several) == 0) {
        if (most < 2) {
            counters_->add(Count::limit_topics);
            return false;
        }
        auto index = crowds_.size();
        if (free_crowds_.empty()) {
            crowds_.emplace_back();
        } else {
            index = free_crowds_.back();
            free_crowds_.pop_back();
        }
        crowds_[index] = {std::exchange(entry.watchers, several | index)};
    }
    auto& crowd = crowd_of(entry);
    const auto at = std::ranges::lower_bound(crowd, watcher);
    if (at != crowd.end() && *at == watcher) return true;
    if (crowd.size() >= most) {
        counters_->add(Count::limit_topics);
        return false;
    }
    crowd.insert(at, watcher);
    return true;
}

void PresencePart::remove_watcher(Entry& entry, ConnectionId watcher) {
    if (entry.watchers == watcher) entry.watchers = 0;
    if ((entry.watchers & several) == 0) return;
    auto& crowd = crowd_of(entry);
    const auto at = std::ranges::lower_bound(crowd, watcher);
    if (at != crowd.end() && *at == watcher) crowd.erase(at);
    if (crowd.size() > 1) return;
    const auto left = crowd.empty() ? 0 : crowd.front();
    crowd = std::vector<ConnectionId>{};
    free_crowds_.push_back(entry.watchers & ~several);
    entry.watchers = left;
}

bool PresencePart::watch(ConnectionId by, const std::vector<PresenceWatch>& watches, const Limits& limits) {
    bool room = true;
    PresencesFrame held;
    for (const auto& [topic, hash] : watches) {
        auto* const entry = find_or_make(topic, hash, limits.presence_topics);
        if (entry == nullptr) {
            room = false;
            continue;
        }
        // Whoever may name a topic may fill it: that must not cost its other reader the rest of what they
        // watch.
        if (!add_watcher(*entry, by, limits.presence_watchers)) continue;
        if (entry->blob) held.add(entry->topic, entry->blob.view());
    }
    if (!held.empty()) shell_->push(by, held.finish());
    return room;
}

void PresencePart::unwatch(ConnectionId by, const std::vector<TopicHash>& topics) {
    for (const auto hash : topics) {
        auto* const entry = find(hash);
        if (entry == nullptr) continue;
        remove_watcher(*entry, by);
        tidy(hash);
    }
}

// ---- all of them ----

/// What the parts have to say of one request, each in its own place; the last one through answers.
struct Presence::Gather {
    ConnectionId by = 0;
    std::optional<std::uint32_t> request;
    bool posts = false;
    std::vector<std::vector<std::uint32_t>> refused;
    std::atomic<unsigned> left = 0;
    std::atomic<bool> room = true;

    [[nodiscard]] std::string answer(std::uint32_t id) const {
        if (!room) return failure_frame(id, {.code = wire::FAILURE_RATE, .retry_after_ms = 60'000});
        if (!posts) return done_frame(id);
        std::vector<std::uint32_t> all;
        for (const auto& part : refused) all.insert(all.end(), part.begin(), part.end());
        std::ranges::sort(all);
        return posted_frame(id, all);
    }
};

Presence::Presence(const LivePolicy& policy, Counters& counters, crypto::Rng& rng, Shell& shell)
    : policy_(&policy),
      counters_(&counters),
      shell_(&shell),
      key_(rng.bytes<16>()),
      write_key_(rng.bytes<16>()) {
    open(1);
}

void Presence::open(unsigned threads) {
    parts_.clear();
    for (unsigned i = 0; i < threads; ++i)
        parts_.push_back(std::make_unique<PresencePart>(key_, *counters_, *shell_));
}

std::size_t Presence::topics() const {
    std::size_t sum = 0;
    for (const auto& part : parts_) sum += part->topics();
    return sum;
}

std::size_t Presence::held() const {
    std::size_t sum = 0;
    for (const auto& part : parts_) sum += part->held();
    return sum;
}

std::size_t Presence::most_topics() const {
    // The hash spreads them evenly: each part has its share.
    return std::max<std::size_t>(1, (*policy_)->limits.presence_topics / parts_.size());
}

std::shared_ptr<Presence::Gather> Presence::gather(ConnectionId by,
                                                   std::optional<std::uint32_t> request) const {
    auto out = std::make_shared<Gather>();
    out->by = by;
    out->request = request;
    out->refused.resize(parts_.size());
    return out;
}

template <class Item, class Work>
void Presence::spread(const std::shared_ptr<Gather>& gather, Split<Item> split, Work work) {
    // One more for this function itself: nobody answers before all have been asked.
    unsigned asked = 1;
    for (const auto& items : split) asked += items.empty() ? 0U : 1U;
    gather->left = asked;
    const auto through = [shell = shell_](Gather& done) {
        if (done.left.fetch_sub(1, std::memory_order_acq_rel) == 1 && done.request)
            shell->reply(done.by, done.answer(*done.request));
    };
    for (unsigned home = 0; home < split.size(); ++home) {
        if (split[home].empty()) continue;
        shell_->run_on(home, gather->by,
                       [part = parts_[home].get(), gather, items = std::move(split[home]), work, through,
                        home]() mutable {
                           work(*part, *gather, items, home);
                           through(*gather);
                       });
    }
    through(*gather);
}

void Presence::publish(ConnectionId by, std::uint32_t request, std::vector<PresencePost> posts) {
    Split<PresencePost> split(parts_.size());
    for (auto& post : posts) split[home_of(post.hash)].push_back(std::move(post));
    const auto answer = gather(by, request);
    answer->posts = true;
    spread(answer, std::move(split),
           [most = most_topics()](PresencePart& part, Gather& gather, std::vector<PresencePost>& items,
                                  unsigned home) {
               part.publish(gather.by, items, most, gather.refused[home]);
           });
}

void Presence::watch(ConnectionId by, std::uint32_t request, const std::vector<PresenceWatch>& watches) {
    Split<PresenceWatch> split(parts_.size());
    for (const auto& watch : watches) split[home_of(watch.hash)].push_back(watch);
    auto limits = (*policy_)->limits;
    limits.presence_topics = most_topics();
    spread(
        gather(by, request), std::move(split),
        [limits](PresencePart& part, Gather& gather, std::vector<PresenceWatch>& items, unsigned /*home*/) {
            if (!part.watch(gather.by, items, limits)) gather.room = false;
        });
}

void Presence::withdraw(ConnectionId by, std::optional<std::uint32_t> request,
                        const std::vector<TopicHash>& topics) {
    Split<TopicHash> split(parts_.size());
    for (const auto hash : topics) split[home_of(hash)].push_back(hash);
    spread(gather(by, request), std::move(split),
           [](PresencePart& part, Gather& gather, std::vector<TopicHash>& items, unsigned /*home*/) {
               part.withdraw(gather.by, items);
           });
}

void Presence::unwatch(ConnectionId by, std::optional<std::uint32_t> request,
                       const std::vector<TopicHash>& topics) {
    Split<TopicHash> split(parts_.size());
    for (const auto hash : topics) split[home_of(hash)].push_back(hash);
    spread(gather(by, request), std::move(split),
           [](PresencePart& part, Gather& gather, std::vector<TopicHash>& items, unsigned /*home*/) {
               part.unwatch(gather.by, items);
           });
}

}  // namespace sotto::keyserver
