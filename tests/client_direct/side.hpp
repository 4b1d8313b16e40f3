// One side of a path, with what it reported.
#pragma once

#include <glib.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>

#include "sotto/client/direct_transport.hpp"

namespace sotto::client::test {

using Clock = std::chrono::steady_clock;
inline constexpr std::chrono::seconds patience{20};
/// What GLib calls critical is a mistake of its caller's, and ends the test.
inline const auto critical =
    g_log_set_always_fatal(static_cast<GLogLevelFlags>(G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL));

class Side {
  public:
    void act(DirectAction action) { transport_->perform(std::move(action)); }

    /// The next event of this kind; others are kept.
    template <class Event>
    std::optional<Event> next(std::chrono::milliseconds limit = patience) {
        std::unique_lock lock{mutex_};
        const auto deadline = Clock::now() + limit;
        while (true) {
            for (auto at = events_.begin(); at != events_.end(); ++at) {
                if (auto* const found = std::get_if<Event>(&*at)) {
                    Event out = std::move(*found);
                    events_.erase(at);
                    return out;
                }
            }
            if (changed_.wait_until(lock, deadline) == std::cv_status::timeout) return std::nullopt;
        }
    }
    /// Until so many bytes have come on this stream, whichever pieces they come in.
    Bytes read(StreamId stream, std::size_t size) {
        Bytes out;
        while (out.size() < size) {
            const auto piece = next<StreamBytes>();
            if (!piece) break;
            if (piece->stream == stream) out.insert(out.end(), piece->bytes.begin(), piece->bytes.end());
        }
        return out;
    }
    void take_nothing() { takes_ = false; }
    /// Holds the transport's own thread up where bytes come in, so that it reads nothing, until read_on().
    void read_nothing() { stalled_ = true; }
    void read_on() {
        const std::scoped_lock lock{mutex_};
        stalled_ = false;
        changed_.notify_all();
    }

    PathDescription gather(AttemptId attempt, bool offerer, PathSettings settings = {{}, true, false}) {
        act(GatherPath{attempt, offerer, std::move(settings)});
        const auto gathered = next<PathGathered>();
        EXPECT_TRUE(gathered);
        return gathered ? gathered->ours : PathDescription{};
    }

  private:
    bool hear(DirectEvent event) {
        std::unique_lock lock{mutex_};
        if (std::holds_alternative<StreamBytes>(event)) changed_.wait(lock, [this] { return !stalled_; });
        if (!takes_ && std::holds_alternative<StreamBytes>(event)) return false;
        events_.push_back(std::move(event));
        changed_.notify_all();
        return true;
    }
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<DirectEvent> events_;
    std::atomic<bool> takes_ = true;
    std::atomic<bool> stalled_ = false;
    std::unique_ptr<DirectTransport> transport_ =
        make_direct_transport([this](DirectEvent event) { return hear(std::move(event)); });
};

/// Bytes that show where they were cut or turned around.
inline Bytes pattern(std::size_t size) {
    Bytes out(size);
    for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<std::byte>((i * 131) >> 3U);
    return out;
}

}  // namespace sotto::client::test
