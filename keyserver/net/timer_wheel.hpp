// When the deadlines of very many things have passed, to the coarseness of a tick. One thread's.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace sotto::keyserver {

/// Setting, moving and forgetting a deadline takes a few pointers and no memory; a tick costs what lies in
/// its slot. Ticks may be skipped: what was due in between is due then.
class TimerWheel {
  public:
    static constexpr std::size_t slots = 1024;  ///< later ticks share a slot and wait there for their round

    /// One deadline. It stays where it is while it is set, and forgets itself when it goes.
    class Entry {
      public:
        Entry() = default;
        Entry(const Entry&) = delete;
        Entry& operator=(const Entry&) = delete;
        ~Entry() { unlink(); }

        [[nodiscard]] bool is_set() const { return link_ != nullptr; }
        /// Only of one that is set.
        [[nodiscard]] std::uint64_t tick() const { return tick_; }

      private:
        friend class TimerWheel;
        void unlink() {
            if (link_ == nullptr) return;
            *link_ = next_;
            if (next_ != nullptr) next_->link_ = link_;
            next_ = nullptr;
            link_ = nullptr;
        }
        void link(Entry*& head) {
            next_ = head;
            link_ = &head;
            if (head != nullptr) head->link_ = &next_;
            head = this;
        }

        Entry* next_ = nullptr;
        Entry** link_ = nullptr;  ///< what points here; none while it is not set
        std::uint64_t tick_ = 0;
    };

    explicit TimerWheel(std::uint64_t tick = 0) : now_(tick) {}
    TimerWheel(const TimerWheel&) = delete;
    TimerWheel& operator=(const TimerWheel&) = delete;
    /// Outlived by its entries: they are no longer set.
    ~TimerWheel() {
        for (auto& head : heads_)
            while (head != nullptr) head->unlink();
    }

    /// Due at `tick`, or at the next one if that has passed. Replaces what was set.
    void set(Entry& entry, std::uint64_t tick) {
        entry.unlink();
        entry.tick_ = std::max(tick, now_ + 1);
        entry.link(heads_[entry.tick_ % slots]);
    }
    static void cancel(Entry& entry) { entry.unlink(); }

    /// Calls `due(Entry&)`, once each, for all whose tick has come; by then they are no longer set. It may
    /// set, cancel and destroy any entry.
    template <class Due>
    void advance(std::uint64_t tick, Due due) {
        const auto rounds = tick > now_ ? std::min<std::uint64_t>(tick - now_, slots) : 0;
        const auto first = tick - rounds + 1;
        now_ = std::max(now_, tick);
        for (std::uint64_t i = 0; i < rounds; ++i) {
            auto& slot = heads_[(first + i) % slots];
            // Taken aside, since `due` may fill the slot again.
            Entry* taken = slot;
            slot = nullptr;
            if (taken != nullptr) taken->link_ = &taken;
            while (taken != nullptr) {
                Entry& entry = *taken;
                entry.unlink();
                if (entry.tick_ > now_)
                    entry.link(slot);
                else
                    due(entry);
            }
        }
    }

  private:
    std::uint64_t now_;
    std::array<Entry*, slots> heads_{};
};

}  // namespace sotto::keyserver
