// The thread that owns the database. What waits when it becomes free goes into one transaction; answers
// follow the commit.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "keyserver/store/batch.hpp"

namespace sotto::keyserver {

class StoreThread final : public StoreQueue {
  public:
    /// `on_failure` is told of what the store could not do, for the log; it is called on the store's thread.
    StoreThread(storage::Database db, std::function<void(const storage::Error&)> on_failure);
    StoreThread(const StoreThread&) = delete;
    StoreThread& operator=(const StoreThread&) = delete;
    ~StoreThread() override;

    /// Returns when everything that was submitted before has been answered.
    void flush();

  protected:
    void enqueue(std::unique_ptr<Job> job) override;

  private:
    void loop();

    storage::Database db_;
    std::function<void(const storage::Error&)> on_failure_;
    std::mutex mutex_;
    std::condition_variable wake_;
    Jobs waiting_;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace sotto::keyserver
