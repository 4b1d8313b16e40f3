// Envelope ids that were acknowledged not long ago: a retry of one of them is answered and not delivered
// again.
#pragma once

#include <bit>
#include <cstring>
#include <unordered_set>

#include "keyserver/core/limits.hpp"
#include "keyserver/core/types.hpp"
#include "sotto/crypto/random.hpp"

namespace sotto::keyserver {

/// Two generations; the younger becomes the older when it is full or old. Senders choose the ids, so the hash
/// is keyed.
class RecentIds {
  public:
    explicit RecentIds(crypto::Rng& rng)
        : seed_(rng.bytes<16>()), younger_(0, Hash{seed_}), older_(0, Hash{seed_}) {}

    void insert(DeviceKey key, const EnvelopeId& id, std::uint64_t now_ms) {
        if (younger_.size() >= limits::recent_ids || now_ms >= since_ms_ + limits::recent_ms) {
            older_.swap(younger_);
            younger_.clear();
            since_ms_ = now_ms;
        }
        younger_.insert({.device = key, .id = id});
    }
    [[nodiscard]] bool contains(DeviceKey key, const EnvelopeId& id) const {
        const Entry entry{.device = key, .id = id};
        return younger_.contains(entry) || older_.contains(entry);
    }

  private:
    struct Entry {
        DeviceKey device;
        EnvelopeId id;
        bool operator==(const Entry&) const = default;
    };
    struct Hash {
        Array<16> seed;
        std::size_t operator()(const Entry& entry) const noexcept {
            std::uint64_t state = word(seed, 0) ^ static_cast<std::uint64_t>(entry.device.account);
            for (const auto part :
                 {static_cast<std::uint64_t>(entry.device.device), word(entry.id, 0), word(entry.id, 8)})
                state = std::rotl((state ^ part) * (word(seed, 8) | 1U), 29) + part;
            return static_cast<std::size_t>(state ^ (state >> 32U));
        }
        [[nodiscard]] static std::uint64_t word(const Array<16>& bytes, std::size_t at) noexcept {
            std::uint64_t value = 0;
            std::memcpy(&value, bytes.data() + at, sizeof value);
            return value;
        }
    };
    using Set = std::unordered_set<Entry, Hash>;

    Array<16> seed_;
    Set younger_;
    Set older_;
    std::uint64_t since_ms_ = 0;
};

}  // namespace sotto::keyserver
