// The server's memory while something goes on.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <thread>

namespace sotto::loadgen {

/// Looks each second, on a thread of its own.
class MemoryWatch {
  public:
    /// Nothing is known without a process.
    explicit MemoryWatch(std::optional<pid_t> server);

    /// The most that was seen since then, this moment included.
    [[nodiscard]] std::optional<std::uint64_t> peak();

  private:
    void look(pid_t server);

    std::optional<pid_t> server_;
    std::atomic<std::uint64_t> peak_ = 0;
    std::mutex mutex_;
    std::condition_variable_any wake_;
    std::jthread thread_;
};

}  // namespace sotto::loadgen
