#include "line_reader.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include "sotto/protocol/limits.hpp"

namespace sotto::cli {

LineReader::LineReader(std::function<void()> more) : more_(std::move(more)), end_(::eventfd(0, EFD_CLOEXEC)) {
    if (end_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
    thread_ = std::thread{[this] { read(); }};
}

LineReader::~LineReader() {
    {
        const std::scoped_lock lock{mutex_};
        stop_ = true;
    }
    taken_.notify_one();
    const std::uint64_t one = 1;
    static_cast<void>(!::write(end_, &one, sizeof one));
    thread_.join();
    ::close(end_);
}

std::optional<std::string> LineReader::next() {
    std::optional<std::string> line;
    {
        const std::scoped_lock lock{mutex_};
        if (lines_.empty()) return std::nullopt;
        line = std::move(lines_.front());
        lines_.pop_front();
    }
    taken_.notify_one();
    return line;
}

bool LineReader::at_end() {
    const std::scoped_lock lock{mutex_};
    return over_ && lines_.empty();
}

bool LineReader::put(std::string line) {
    if (line.empty()) return true;
    {
        std::unique_lock lock{mutex_};
        taken_.wait(lock, [this] { return stop_ || lines_.size() < most_waiting; });
        if (stop_) return false;
        lines_.push_back(std::move(line));
    }
    more_();
    return true;
}

void LineReader::read() {
    std::string line;
    std::array<char, 16384> buffer;
    while (true) {
        std::array<pollfd, 2> polled{pollfd{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0},
                                     pollfd{.fd = end_, .events = POLLIN, .revents = 0}};
        if (::poll(polled.data(), polled.size(), -1) < 0) continue;
        if (polled[1].revents != 0) return;
        const auto n = ::read(STDIN_FILENO, buffer.data(), buffer.size());
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) break;
        for (const char c : std::string_view{buffer.data(), static_cast<std::size_t>(n)}) {
            if (c != '\n') {
                if (line.size() <= protocol::max_text_size) line += c;
            } else if (!put(std::exchange(line, {}))) {
                return;
            }
        }
    }
    if (!put(std::move(line))) return;
    {
        const std::scoped_lock lock{mutex_};
        over_ = true;
    }
    more_();
}

}  // namespace sotto::cli
