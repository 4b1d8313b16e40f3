#include "keyserver/store/store_thread.hpp"

#include <future>

namespace sotto::keyserver {

StoreThread::StoreThread(storage::Database db, std::function<void(const storage::Error&)> on_failure)
    : db_(std::move(db)), on_failure_(std::move(on_failure)), thread_([this] { loop(); }) {}

StoreThread::~StoreThread() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_one();
    thread_.join();
}

void StoreThread::enqueue(std::unique_ptr<Job> job) {
    {
        const std::lock_guard lock(mutex_);
        waiting_.push_back(std::move(job));
    }
    wake_.notify_one();
}

void StoreThread::flush() {
    // Shared: the waiting side may be gone before the other has left set_value().
    const auto reached = std::make_shared<std::promise<void>>();
    submit([](Stores& /*none needed*/) { return true; },
           [reached](std::optional<bool> /*either way*/) { reached->set_value(); });
    reached->get_future().wait();
}

std::size_t StoreThread::waiting() const {
    const std::lock_guard lock(mutex_);
    return waiting_.size();
}

void StoreThread::work_off(Jobs& jobs) {
    bool failed = false;
    stats_.busy_since_us = Counters::now_us();
    run_batch(
        db_, jobs,
        [&](const storage::Error& error) {
            failed = true;
            ++stats_.failures;
            on_failure_(error);
        },
        &stats_.counters);
    stats_.jobs += jobs.size();
    stats_.failing = failed;
    stats_.busy_since_us = 0;
}

void StoreThread::loop() {
    std::unique_lock lock(mutex_);
    while (true) {
        wake_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
        if (waiting_.empty()) return;
        Jobs jobs;
        jobs.swap(waiting_);
        lock.unlock();
        work_off(jobs);
        jobs.clear();
        lock.lock();
    }
}

}  // namespace sotto::keyserver
