// Presence: blobs under topics, in memory alone, for as long as the connection that brought them.
// docs/protocol.md section 15.2.
//
// Topics are spread over the threads by a keyed hash; each thread has a part and nobody else touches it. What
// a connection asks goes to the parts concerned, a piece of work each, and what they have to tell goes
// straight to the connections.
#pragma once

#include <atomic>
#include <boost/unordered/unordered_flat_set.hpp>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "keyserver/core/blob.hpp"
#include "keyserver/core/counters.hpp"
#include "keyserver/core/policy.hpp"
#include "keyserver/core/shell.hpp"
#include "sotto/crypto/random.hpp"
#include "sotto/crypto/short_hash.hpp"

namespace sotto::keyserver {

using Topic = Array<protocol::topic_size>;
/// A keyed hash of the topic, by which it is known from here on: nobody outside can find two of the same.
using TopicHash = std::uint64_t;

struct PresencePost {
    Topic topic{};
    TopicHash hash = 0;
    std::uint64_t write_key = 0;  ///< a keyed hash of it
    Blob blob;
    std::uint32_t index = 0;  ///< in the request
};
struct PresenceWatch {
    Topic topic{};
    TopicHash hash = 0;
};

/// What one thread holds. Only that thread calls it.
class PresencePart {
  public:
    PresencePart(const crypto::ShortHashKey& key, Counters& counters, Shell& shell);

    /// Takes the posts' blobs; the indexes of those that were refused are added to `refused`.
    void publish(ConnectionId by, std::vector<PresencePost>& posts, std::size_t most_topics,
                 std::vector<std::uint32_t>& refused);
    /// Pushes what is held now. A topic that has its watchers is passed over. False where there was no room
    /// for further topics.
    [[nodiscard]] bool watch(ConnectionId by, const std::vector<PresenceWatch>& watches,
                             const Limits& limits);
    void withdraw(ConnectionId by, const std::vector<TopicHash>& topics);
    void unwatch(ConnectionId by, const std::vector<TopicHash>& topics);

    /// Topics that are published or watched; those that are published. From any thread.
    [[nodiscard]] std::size_t topics() const { return topics_.load(std::memory_order_relaxed); }
    [[nodiscard]] std::size_t held() const { return held_.load(std::memory_order_relaxed); }

  private:
    /// In `watchers`: not a connection's id, which never grows so far, but an index in `crowds_`.
    static constexpr std::uint64_t several = 1ULL << 63U;
    struct Entry {
        Topic topic{};
        std::uint64_t write_key = 0;
        ConnectionId owner = 0;
        std::uint64_t watchers = 0;  ///< none, one connection, or `several`
        Blob blob;                   ///< none: watched, not held
    };
    struct Hash {
        using is_transparent = void;
        using is_avalanching = void;
        const PresencePart* part;
        std::size_t operator()(std::uint32_t slot) const noexcept { return part->hash_of(slot); }
        std::size_t operator()(TopicHash hash) const noexcept { return hash; }
    };
    struct Equal {
        using is_transparent = void;
        const PresencePart* part;
        bool operator()(std::uint32_t a, std::uint32_t b) const noexcept { return a == b; }
        bool operator()(TopicHash hash, std::uint32_t slot) const noexcept {
            return part->hash_of(slot) == hash;
        }
        bool operator()(std::uint32_t slot, TopicHash hash) const noexcept {
            return part->hash_of(slot) == hash;
        }
    };

    [[nodiscard]] TopicHash hash_of(std::uint32_t slot) const noexcept {
        return crypto::short_hash(key_, entries_[slot].topic);
    }
    [[nodiscard]] std::vector<ConnectionId>& crowd_of(const Entry& entry) {
        return crowds_[entry.watchers & ~several];
    }
    [[nodiscard]] Entry* find(TopicHash hash);
    /// Found or made; none where there is no room for another one.
    [[nodiscard]] Entry* find_or_make(const Topic& topic, TopicHash hash, std::size_t most_topics);
    [[nodiscard]] bool publish(ConnectionId by, PresencePost& post, std::size_t most_topics,
                               Shell::Pushes& pushes);
    [[nodiscard]] bool add_watcher(Entry& entry, ConnectionId watcher, std::size_t most);
    void remove_watcher(Entry& entry, ConnectionId watcher);
    /// What is held under it now is to be pushed to all who watch it.
    void tell(const Entry& entry, Shell::Pushes& pushes);
    /// Those of one request together: each thread is woken for them once.
    void push(Shell::Pushes pushes);
    /// Forgets a topic that is neither held nor watched.
    void tidy(TopicHash hash);

    crypto::ShortHashKey key_;
    Counters* counters_;
    Shell* shell_;
    std::deque<Entry> entries_;
    std::vector<std::uint32_t> free_;
    boost::unordered_flat_set<std::uint32_t, Hash, Equal> index_;
    std::vector<std::vector<ConnectionId>> crowds_;
    std::vector<std::size_t> free_crowds_;
    std::atomic<std::size_t> topics_ = 0;
    std::atomic<std::size_t> held_ = 0;
};

/// All parts, and the way to them. Its functions are called on the thread of the connection that they name.
class Presence {
  public:
    Presence(const LivePolicy& policy, Counters& counters, crypto::Rng& rng, Shell& shell);

    /// One part a thread; before anything else.
    void open(unsigned threads);

    [[nodiscard]] TopicHash hash_of(const Topic& topic) const { return crypto::short_hash(key_, topic); }
    [[nodiscard]] std::uint64_t hash_of_write_key(ByteView write_key) const {
        return crypto::short_hash(write_key_, write_key);
    }
    /// Answered with Posted.
    void publish(ConnectionId by, std::uint32_t request, std::vector<PresencePost> posts);
    /// What is held is pushed ahead of the answer.
    void watch(ConnectionId by, std::uint32_t request, const std::vector<PresenceWatch>& watches);
    /// Without a request there is no answer.
    void withdraw(ConnectionId by, std::optional<std::uint32_t> request,
                  const std::vector<TopicHash>& topics);
    void unwatch(ConnectionId by, std::optional<std::uint32_t> request, const std::vector<TopicHash>& topics);

    [[nodiscard]] std::size_t topics() const;
    [[nodiscard]] std::size_t held() const;

  private:
    struct Gather;
    template <class Item>
    using Split = std::vector<std::vector<Item>>;

    [[nodiscard]] unsigned home_of(TopicHash hash) const {
        return static_cast<unsigned>((hash >> 48U) % parts_.size());
    }
    [[nodiscard]] std::size_t most_topics() const;
    /// Gives each part what is its own, and answers when all are through.
    template <class Item, class Work>
    void spread(const std::shared_ptr<Gather>& gather, Split<Item> split, Work work);
    [[nodiscard]] std::shared_ptr<Gather> gather(ConnectionId by, std::optional<std::uint32_t> request) const;

    const LivePolicy* policy_;
    Counters* counters_;
    Shell* shell_;
    crypto::ShortHashKey key_;
    crypto::ShortHashKey write_key_;
    std::vector<std::unique_ptr<PresencePart>> parts_;
};

}  // namespace sotto::keyserver
