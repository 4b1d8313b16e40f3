// The thread that owns the database. What waits when it becomes free goes into one transaction; answers
// follow the commit.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "keyserver/store/batch.hpp"

namespace sotto::keyserver {

/// What the store's thread knows of its own health; readable from any thread.
struct StoreStats {
    Counters counters;
    std::atomic<std::uint64_t> jobs = 0;
    std::atomic<std::uint64_t> failures = 0;
    std::atomic<bool> failing = false;             ///< the last batch did
    std::atomic<std::uint64_t> busy_since_us = 0;  ///< the batch under way; 0: none
};

class StoreThread final : public StoreQueue {
  public:
    /// `on_failure` is told of what the store could not do, for the log; it is called on the store's thread.
    StoreThread(storage::Database db, std::function<void(const storage::Error&)> on_failure);
    StoreThread(const StoreThread&) = delete;
    StoreThread& operator=(const StoreThread&) = delete;
    ~StoreThread() override;

    /// Returns when everything that was submitted before has been answered.
    void flush();
    [[nodiscard]] const StoreStats& stats() const { return stats_; }
    /// Pieces of work that nobody has begun.
    [[nodiscard]] std::size_t waiting() const;

  protected:
    void enqueue(std::unique_ptr<Job> job) override;

  private:
    void loop();
    void work_off(Jobs& jobs);

    storage::Database db_;
    std::function<void(const storage::Error&)> on_failure_;
    StoreStats stats_;
    mutable std::mutex mutex_;
    std::condition_variable wake_;
    Jobs waiting_;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace sotto::keyserver
