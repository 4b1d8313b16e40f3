// Standard input line by line, on a thread of its own, so that the network goes on meanwhile.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace sotto::cli {

class LineReader {
  public:
    /// `more` is called (on the thread) when there is a line, or the end.
    explicit LineReader(std::function<void()> more);
    LineReader(const LineReader&) = delete;
    LineReader& operator=(const LineReader&) = delete;
    ~LineReader();

    /// The next line that is there, without its line feed; empty ones are passed over. A line over the limit
    /// of a message comes cut off one byte beyond it, so that whoever checks sees that it is too long.
    [[nodiscard]] std::optional<std::string> next();
    /// All lines have been taken, and no more will come.
    [[nodiscard]] bool at_end();

  private:
    static constexpr std::size_t most_waiting = 64;
    void read();
    bool put(std::string line);

    std::function<void()> more_;
    std::mutex mutex_;
    std::condition_variable taken_;
    std::deque<std::string> lines_;
    bool over_ = false;
    bool stop_ = false;
    int end_ = -1;
    std::thread thread_;
};

}  // namespace sotto::cli
