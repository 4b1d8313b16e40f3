#include "bench/loadgen/memory.hpp"

#include <algorithm>
#include <chrono>

#include "bench/loadgen/problem.hpp"
#include "bench/loadgen/process.hpp"

namespace sotto::loadgen {
namespace {

constexpr std::chrono::seconds between_looks{1};

}  // namespace

MemoryWatch::MemoryWatch(std::optional<pid_t> server) : server_(server) {
    if (!server_) return;
    look(*server_);
    thread_ = std::jthread{[this, pid = *server_](const std::stop_token& stop) {
        std::unique_lock lock(mutex_);
        while (!wake_.wait_for(lock, stop, between_looks, [] { return false; }) && !stop.stop_requested()) {
            try {
                look(pid);
            } catch (const Problem&) {
                return;  // it has gone, and peak() says so
            }
        }
    }};
}

void MemoryWatch::look(pid_t server) {
    const auto now = ServerProcess(server).pss();
    auto before = peak_.load();
    while (now > before && !peak_.compare_exchange_weak(before, now)) {
    }
}

std::optional<std::uint64_t> MemoryWatch::peak() {
    if (!server_) return std::nullopt;
    look(*server_);
    return peak_.load();
}

}  // namespace sotto::loadgen
