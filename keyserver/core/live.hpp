// A value that every thread reads without a lock while one of them replaces it now and then.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace sotto::keyserver {

/// What was replaced stays where it is, so that a reference holds for as long as this object does: it is for
/// settings, which change a few times in a server's life.
template <class T>
class Live {
  public:
    explicit Live(T first) { replace(std::move(first)); }
    Live(const Live&) = delete;
    Live& operator=(const Live&) = delete;
    ~Live() = default;

    [[nodiscard]] const T& operator*() const { return *current_.load(std::memory_order_acquire); }
    [[nodiscard]] const T* operator->() const { return current_.load(std::memory_order_acquire); }
    void replace(T next) {
        const std::lock_guard lock(mutex_);
        current_.store(all_.emplace_back(std::make_unique<const T>(std::move(next))).get(),
                       std::memory_order_release);
    }

  private:
    std::mutex mutex_;
    std::vector<std::unique_ptr<const T>> all_;
    std::atomic<const T*> current_ = nullptr;
};

}  // namespace sotto::keyserver
