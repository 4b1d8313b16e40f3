// SIGINT, SIGTERM and SIGHUP as an orderly end: they are taken by a thread of their own.
#pragma once

#include <functional>
#include <thread>

namespace sotto::cli {

/// While it lives the first of these signals calls `stop` (on another thread); a second one ends the process
/// at once. Threads that are older than it must have these signals blocked, as the network transport's have.
class StopSignals {
  public:
    explicit StopSignals(std::function<void()> stop);
    StopSignals(const StopSignals&) = delete;
    StopSignals& operator=(const StopSignals&) = delete;
    ~StopSignals();

  private:
    void watch();
    std::function<void()> stop_;
    int signals_ = -1;
    int end_ = -1;
    std::thread thread_;
};

}  // namespace sotto::cli
