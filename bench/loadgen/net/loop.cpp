#include "bench/loadgen/net/loop.hpp"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

namespace sotto::loadgen {
namespace {

constexpr std::size_t events_at_once = 512;

void require(bool ok, const char* what) {
    if (!ok) throw std::system_error(errno, std::generic_category(), what);
}

}  // namespace

Loop::Loop() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    require(epoll_ >= 0, "epoll_create1");
}

Loop::~Loop() {
    ::close(epoll_);
}

void Loop::add(int fd, std::uint32_t events, Pollable& pollable) {
    epoll_event event{.events = events, .data = {.ptr = &pollable}};
    require(::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) == 0, "epoll_ctl");
}

void Loop::modify(int fd, std::uint32_t events, Pollable& pollable) {
    epoll_event event{.events = events, .data = {.ptr = &pollable}};
    require(::epoll_ctl(epoll_, EPOLL_CTL_MOD, fd, &event) == 0, "epoll_ctl");
}

void Loop::remove(int fd) noexcept {
    ::epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);  // closing the descriptor would do the same
}

bool Loop::run(const std::function<bool()>& done, Time deadline) {
    end_turn();
    while (!done()) {
        if (Clock::now() >= deadline) return false;
        turn(deadline);
    }
    return true;
}

void Loop::turn(Time until) {
    if (!timers_.empty()) until = std::min(until, timers_.begin()->first);
    const auto wait =
        std::max(std::chrono::duration_cast<std::chrono::nanoseconds>(until - Clock::now()).count(), 0L);
    const timespec timeout{.tv_sec = wait / 1'000'000'000, .tv_nsec = wait % 1'000'000'000};
    std::array<epoll_event, events_at_once> events;
    const int count =
        ::epoll_pwait2(epoll_, events.data(), static_cast<int>(events.size()), &timeout, nullptr);
    require(count >= 0 || errno == EINTR, "epoll_pwait2");
    for (std::size_t i = 0; i < static_cast<std::size_t>(std::max(count, 0)); ++i)
        static_cast<Pollable*>(events.at(i).data.ptr)->on_events(events.at(i).events);
    fire(Clock::now());
    end_turn();
}

void Loop::fire(Time now) {
    while (!timers_.empty() && timers_.begin()->first <= now) {
        // Out of the map first: it may set the very timer anew.
        auto due = timers_.extract(timers_.begin());
        if (due && due.mapped()) due.mapped()();
    }
}

void Loop::end_turn() {
    if (turn_end_) turn_end_();
    // A flush that fails may bring others forth.
    for (std::size_t i = 0; i < unflushed_.size(); ++i) unflushed_.at(i)->flush();
    unflushed_.clear();
    buried_.clear();
}

void Timer::set(Time at, std::function<void()> step) {
    cancel();
    at_ = loop_->timers_.emplace(at, [this, step = std::move(step)] {
        at_ = loop_->timers_.end();
        step();
    });
}

void Timer::cancel() {
    if (at_ != loop_->timers_.end()) loop_->timers_.erase(at_);
    at_ = loop_->timers_.end();
}

}  // namespace sotto::loadgen
