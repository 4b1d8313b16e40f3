// One thread's event loop: epoll, timers, and what has to happen at the end of a turn.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

namespace sotto::loadgen {

using Clock = std::chrono::steady_clock;
using Time = Clock::time_point;

class Pollable {
  public:
    virtual ~Pollable() = default;
    Pollable(const Pollable&) = delete;
    Pollable& operator=(const Pollable&) = delete;
    virtual void on_events(std::uint32_t events) = 0;
    /// Once at the end of a turn in which `Loop::flush_later` was called for it.
    virtual void flush() = 0;

  protected:
    Pollable() = default;
};

class Loop {
  public:
    Loop();
    ~Loop();
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;

    void add(int fd, std::uint32_t events, Pollable& pollable);
    void modify(int fd, std::uint32_t events, Pollable& pollable);
    void remove(int fd) noexcept;

    void flush_later(Pollable& pollable) { unflushed_.push_back(&pollable); }
    /// Before the flushes of each turn; empty: nothing.
    void at_turn_end(std::function<void()> step) { turn_end_ = std::move(step); }
    /// Destroyed when the turn is over: events for it may still be waiting in this one.
    void bury(std::unique_ptr<Pollable> pollable) { buried_.push_back(std::move(pollable)); }

    /// Turns until `done` says so; false if `deadline` came first.
    bool run(const std::function<bool()>& done, Time deadline);

  private:
    friend class Timer;
    using Timers = std::multimap<Time, std::function<void()>>;
    void turn(Time until);
    void fire(Time now);
    void end_turn();

    int epoll_ = -1;
    Timers timers_;
    std::vector<Pollable*> unflushed_;
    std::vector<std::unique_ptr<Pollable>> buried_;
    std::function<void()> turn_end_;
};

/// Runs something once, unless it is set anew, cancelled or destroyed before.
class Timer {
  public:
    explicit Timer(Loop& loop) : loop_(&loop), at_(loop.timers_.end()) {}
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;
    ~Timer() { cancel(); }
    void set(Time at, std::function<void()> step);
    void cancel();

  private:
    Loop* loop_;
    Loop::Timers::iterator at_;
};

}  // namespace sotto::loadgen
