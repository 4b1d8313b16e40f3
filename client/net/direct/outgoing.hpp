// What a stream has still to send, in order, whichever thread it comes from.
#pragma once

#include <deque>
#include <mutex>
#include <utility>

#include "sotto/client/direct_transport.hpp"

namespace sotto::client::paths {

/// Pieces leave at once, on their sender's thread, while nothing waits. Behind one that didn't leave whole
/// all others wait with the loop, until it has caught up. `send` is given bytes and tells how many of them
/// left, without waiting; it is called by one thread at a time.
class Outgoing {
  public:
    /// From any thread. What is left is for queue(). `send` runs under the lock that end() takes: it must not
    /// wait for the loop's thread.
    template <class Send>
    [[nodiscard]] Bytes now(Bytes bytes, const Send& send) {
        const std::scoped_lock lock{mutex_};
        if (ended_ || too_much_) return {};
        const std::size_t gone = behind_ == 0 ? send(ByteView{bytes}) : 0;
        if (gone < bytes.size()) ++behind_;
        unsent_ += bytes.size() - gone;
        too_much_ = unsent_ > max_unsent;
        bytes.erase(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(gone));
        return bytes;
    }

    // ---- the loop's thread ----
    /// What now() left. False: more waits than may, and some was dropped.
    [[nodiscard]] bool queue(Bytes bytes) {
        if (ended_) return true;
        waiting_.push_back(std::move(bytes));
        const std::scoped_lock lock{mutex_};
        return !too_much_;
    }
    /// False: not everything could leave.
    template <class Send>
    [[nodiscard]] bool flush(const Send& send) {
        while (!waiting_.empty()) {
            const auto rest = ByteView{waiting_.front()}.subspan(gone_of_first_);
            const std::size_t gone = send(rest);
            gone_of_first_ += gone;
            const bool whole = gone == rest.size();
            if (whole) {
                waiting_.pop_front();
                gone_of_first_ = 0;
            }
            const std::scoped_lock lock{mutex_};
            unsent_ -= gone;
            if (!whole) return false;
            --behind_;
        }
        return true;
    }
    /// Nobody is sending when it returns, and nobody does again. False: that was so already.
    bool end() {
        const std::scoped_lock lock{mutex_};
        waiting_.clear();
        return !std::exchange(ended_, true);
    }
    [[nodiscard]] bool ended() const { return ended_; }

  private:
    std::mutex mutex_;
    std::size_t behind_ = 0;  ///< pieces that are the loop's to send; under the mutex
    std::size_t unsent_ = 0;  ///< bytes of them; under the mutex
    bool too_much_ = false;   ///< for good: from then on pieces are dropped
    bool ended_ = false;      ///< set under the mutex, by the loop's thread
    std::deque<Bytes> waiting_;
    std::size_t gone_of_first_ = 0;
};

}  // namespace sotto::client::paths
