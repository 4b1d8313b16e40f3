#include "event_queue.hpp"

#include <utility>

namespace sotto::client::net {
namespace {

std::size_t size_of(const NetworkEvent& event) {
    const auto* frame = std::get_if<FrameReceived>(&event);
    return frame == nullptr ? 0 : frame->frame.size();
}

}  // namespace

EventQueue::EventQueue(std::function<void()> drained) : drained_(std::move(drained)) {}

Serial EventQueue::open() {
    const std::scoped_lock lock{mutex_};
    live_.insert(++last_);
    return last_;
}

void EventQueue::push(Serial serial, NetworkEvent event) {
    {
        const std::scoped_lock lock{mutex_};
        if (!live_.contains(serial)) return;
        bytes_ += size_of(event);
        was_full_ = was_full_ || bytes_ > high_water;
        entries_.push_back({.serial = serial, .event = std::move(event)});
    }
    changed_.notify_one();
}

void EventQueue::forget(Serial serial) {
    bool sunk = false;
    {
        const std::scoped_lock lock{mutex_};
        live_.erase(serial);
        for (const auto& entry : entries_)
            if (entry.serial == serial) bytes_ -= size_of(entry.event);
        std::erase_if(entries_, [serial](const Entry& entry) { return entry.serial == serial; });
        if (was_full_ && bytes_ <= low_water) sunk = std::exchange(was_full_, false);
    }
    if (sunk) drained_();
}

bool EventQueue::full() const {
    const std::scoped_lock lock{mutex_};
    return was_full_;
}

std::optional<NetworkEvent> EventQueue::pop(std::chrono::steady_clock::time_point deadline) {
    std::optional<NetworkEvent> result;
    bool sunk = false;
    {
        std::unique_lock lock{mutex_};
        changed_.wait_until(lock, deadline, [this] { return woken_ || !entries_.empty(); });
        if (std::exchange(woken_, false) || entries_.empty()) return std::nullopt;
        result = std::move(entries_.front().event);
        entries_.pop_front();
        bytes_ -= size_of(*result);
        if (was_full_ && bytes_ <= low_water) sunk = std::exchange(was_full_, false);
    }
    if (sunk) drained_();
    return result;
}

void EventQueue::wake() {
    {
        const std::scoped_lock lock{mutex_};
        woken_ = true;
    }
    changed_.notify_one();
}

}  // namespace sotto::client::net
