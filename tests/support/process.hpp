// Starts programs as a person's shell or a service manager would, and takes in what they print.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sotto::test {

// NOLINTBEGIN(readability-redundant-member-init): without it a designated initialiser that names some is
// warned about
struct Command {
    std::vector<std::string> args = {};                   ///< the program's path first
    std::map<std::string, std::string> environment = {};  ///< beside or instead of this process's own
    std::optional<std::string> input = {};        ///< standard input, then end of file; none: it stays open
    std::map<int, std::string> descriptors = {};  ///< further ones, each a pipe with this content
    std::filesystem::path folder = {};            ///< to run in; empty: this process's own
    bool terminal =
        false;  ///< in, out and err are one pseudo-terminal, the controlling one; read as output()
};
// NOLINTEND(readability-redundant-member-init)

struct Exited {
    int code = -1;  ///< -1 if a signal ended it
    int signal = 0;
    [[nodiscard]] bool ok() const { return code == 0; }
};

/// A running child. Killed and waited for when it goes. Its functions may be called from one thread at a
/// time.
class Process {
  public:
    /// Throws std::system_error if the program can't be started.
    explicit Process(const Command& command);
    Process(Process&&) noexcept;
    Process& operator=(Process&& other) noexcept;
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;
    ~Process();

    [[nodiscard]] pid_t pid() const;
    /// More for its standard input; never blocks.
    void write(std::string_view text);
    void close_input();
    void kill(int signal);
    /// Nothing if it still runs after `timeout`; otherwise all it printed is in output() and errors().
    std::optional<Exited> wait(std::chrono::milliseconds timeout);
    /// True once standard output (or, with `errors`, standard error) contains `text`; false at the end or
    /// timeout.
    bool wait_for(std::string_view text, std::chrono::milliseconds timeout, bool errors = false);

    /// All so far.
    [[nodiscard]] std::string output() const;
    [[nodiscard]] std::string errors() const;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

struct Finished {
    Exited exit;
    bool timed_out = false;  ///< killed by run()
    std::string output;
    std::string errors;
};

/// Runs it to its end. Without `input` its standard input is empty.
[[nodiscard]] Finished run(Command command, std::chrono::milliseconds timeout = std::chrono::seconds{60});

/// An empty folder (0700) under the system's place for temporary files, removed with its content.
class TemporaryFolder {
  public:
    TemporaryFolder();
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    ~TemporaryFolder();
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }
    [[nodiscard]] std::filesystem::path operator/(std::string_view name) const { return path_ / name; }

  private:
    std::filesystem::path path_;
};

void write_file(const std::filesystem::path& file, std::string_view content);
[[nodiscard]] std::string read_file(const std::filesystem::path& file);
/// The lines of a text, without their line feeds.
[[nodiscard]] std::vector<std::string> lines_of(std::string_view text);
/// False where pseudo-terminals can't be had: in a chroot without /dev/pts, say.
[[nodiscard]] bool terminals_work();
/// A TCP port of 127.0.0.1 that nobody listens on at this moment.
[[nodiscard]] std::uint16_t free_port();

}  // namespace sotto::test
