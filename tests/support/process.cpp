#include "support/process.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <mutex>
#include <sstream>
#include <system_error>
#include <thread>
#include <utility>

extern char** environ;  // NOLINT(readability-redundant-declaration): POSIX leaves its declaration to us

namespace sotto::test {
namespace {

using Clock = std::chrono::steady_clock;

[[noreturn]] void fail(int error, const char* what) {
    throw std::system_error(error, std::generic_category(), what);
}

/// A file descriptor that is closed when it goes.
class Fd {
  public:
    Fd() = default;
    explicit Fd(int fd) : fd_(fd) {}
    Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Fd& operator=(Fd&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    Fd(const Fd&) = delete;
    Fd& operator=(const Fd&) = delete;
    ~Fd() { reset(); }
    void reset() {
        if (fd_ >= 0) ::close(std::exchange(fd_, -1));
    }
    [[nodiscard]] int get() const { return fd_; }
    [[nodiscard]] bool open() const { return fd_ >= 0; }

  private:
    int fd_ = -1;
};

struct Pipe {
    Fd read;
    Fd write;
};

// Close-on-exec, or children that are started at the same time would hold each other's pipes open.
Pipe make_pipe() {
    std::array<int, 2> fds{};
    if (::pipe2(fds.data(), O_CLOEXEC) != 0) fail(errno, "pipe2");
    return {.read = Fd{fds[0]}, .write = Fd{fds[1]}};
}

Fd make_terminal(std::string& name) {
    Fd master{::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)};
    std::array<char, 64> buffer{};
    if (!master.open() || ::grantpt(master.get()) != 0 || ::unlockpt(master.get()) != 0 ||
        ::ptsname_r(master.get(), buffer.data(), buffer.size()) != 0)
        fail(errno, "posix_openpt");
    name = buffer.data();
    return master;
}

std::vector<std::string> merged_environment(const std::map<std::string, std::string>& changes) {
    std::vector<std::string> result;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string_view text{*entry};
        if (!changes.contains(std::string{text.substr(0, text.find('='))})) result.emplace_back(text);
    }
    for (const auto& [name, value] : changes) {
        result.push_back(name);
        result.back().append("=").append(value);
    }
    return result;
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
    std::vector<char*> result;
    result.reserve(strings.size() + 1);
    for (auto& text : strings) result.push_back(text.data());
    result.push_back(nullptr);
    return result;
}

class Actions {
  public:
    Actions() { posix_spawn_file_actions_init(&actions_); }
    Actions(const Actions&) = delete;
    Actions& operator=(const Actions&) = delete;
    ~Actions() { posix_spawn_file_actions_destroy(&actions_); }
    void dup(const Fd& from, int to) { check(posix_spawn_file_actions_adddup2(&actions_, from.get(), to)); }
    void open(const std::string& file, int to) {
        check(posix_spawn_file_actions_addopen(&actions_, to, file.c_str(), O_RDWR, 0));
    }
    void copy(int from, int to) { check(posix_spawn_file_actions_adddup2(&actions_, from, to)); }
    void folder(const std::string& path) {
        check(posix_spawn_file_actions_addchdir_np(&actions_, path.c_str()));
    }
    [[nodiscard]] const posix_spawn_file_actions_t* get() const { return &actions_; }

  private:
    static void check(int error) {
        if (error != 0) fail(error, "posix_spawn_file_actions");
    }
    posix_spawn_file_actions_t actions_{};
};

pid_t spawn(const Command& command, const Actions& actions) {
    posix_spawnattr_t attributes{};
    posix_spawnattr_init(&attributes);
    sigset_t all;
    sigset_t none;
    sigfillset(&all);
    sigemptyset(&none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setsigmask(&attributes, &none);
    int flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK;
    if (command.terminal) flags |= POSIX_SPAWN_SETSID;
    posix_spawnattr_setflags(&attributes, static_cast<short>(flags));

    auto args = command.args;
    auto environment = merged_environment(command.environment);
    const auto argv = pointers(args);
    const auto envp = pointers(environment);
    pid_t pid = 0;
    const int error = posix_spawnp(&pid, argv.front(), actions.get(), &attributes, argv.data(), envp.data());
    posix_spawnattr_destroy(&attributes);
    if (error != 0) fail(error, command.args.front().c_str());
    return pid;
}

}  // namespace

// One thread moves bytes, so that a child that prints much never waits for a test that is busy elsewhere.
struct Process::Impl {
    pid_t pid = -1;
    Fd in;
    Fd out;
    Fd err;
    Pipe wake = make_pipe();
    std::thread pump;

    mutable std::mutex mutex;
    std::condition_variable changed;
    std::string pending;
    bool input_ends = false;
    bool stop = false;
    bool drained = false;
    std::string output;
    std::string errors;
    std::optional<Exited> exited;

    void notify() const { static_cast<void>(!::write(wake.write.get(), "x", 1)); }
    void run();
    void take(Fd& fd, std::string& into);
    void feed();
    bool reap(bool block);
};

void Process::Impl::take(Fd& fd, std::string& into) {
    std::array<char, 65536> buffer;
    const auto n = ::read(fd.get(), buffer.data(), buffer.size());
    const std::scoped_lock lock{mutex};
    if (n > 0)
        into.append(buffer.data(), static_cast<std::size_t>(n));
    else if (n == 0 || (errno != EINTR && errno != EAGAIN))
        fd.reset();
    changed.notify_all();
}

void Process::Impl::feed() {
    const std::scoped_lock lock{mutex};
    if (!pending.empty()) {
        const auto n = ::write(in.get(), pending.data(), pending.size());
        if (n > 0)
            pending.erase(0, static_cast<std::size_t>(n));
        else if (errno != EINTR && errno != EAGAIN)
            in.reset();
    }
    if (pending.empty() && input_ends) in.reset();
}

void Process::Impl::run() {
    while (true) {
        bool feeding = false;
        {
            const std::scoped_lock lock{mutex};
            if (stop || (!out.open() && !err.open())) break;
            feeding = in.open() && (!pending.empty() || input_ends);
        }
        const auto reading = [](const Fd& fd) {
            return pollfd{.fd = fd.get(), .events = POLLIN, .revents = 0};
        };
        std::array<pollfd, 4> polled{reading(out), reading(err), reading(wake.read),
                                     pollfd{.fd = feeding ? in.get() : -1, .events = POLLOUT, .revents = 0}};
        if (::poll(polled.data(), polled.size(), -1) < 0) continue;
        if (polled[0].revents != 0) take(out, output);
        if (polled[1].revents != 0) take(err, errors);
        if (polled[2].revents != 0) {
            std::array<char, 64> ignored;
            static_cast<void>(!::read(wake.read.get(), ignored.data(), ignored.size()));
        }
        if (polled[3].revents != 0) feed();
    }
    const std::scoped_lock lock{mutex};
    drained = true;
    changed.notify_all();
}

bool Process::Impl::reap(bool block) {
    if (exited) return true;
    int status = 0;
    if (::waitpid(pid, &status, block ? 0 : WNOHANG) != pid) return false;
    exited = WIFEXITED(status) ? Exited{.code = WEXITSTATUS(status), .signal = 0}
                               : Exited{.code = -1, .signal = WTERMSIG(status)};
    return true;
}

Process::Process(const Command& command) : impl_(std::make_unique<Impl>()) {
    static_cast<void>(::signal(SIGPIPE, SIG_IGN));
    Actions actions;
    std::vector<Fd> children;  // closed here once the child has them
    if (command.terminal) {
        std::string name;
        impl_->out = make_terminal(name);
        impl_->in = Fd{::fcntl(impl_->out.get(), F_DUPFD_CLOEXEC, 0)};
        actions.open(name, 0);
        actions.copy(0, 1);
        actions.copy(0, 2);
    } else {
        auto in = make_pipe();
        auto out = make_pipe();
        auto err = make_pipe();
        actions.dup(in.read, 0);
        actions.dup(out.write, 1);
        actions.dup(err.write, 2);
        impl_->in = std::move(in.write);
        impl_->out = std::move(out.read);
        impl_->err = std::move(err.read);
        ::fcntl(impl_->in.get(), F_SETFL, O_NONBLOCK);
        children.push_back(std::move(in.read));
        children.push_back(std::move(out.write));
        children.push_back(std::move(err.write));
    }
    for (const auto& [number, content] : command.descriptors) {
        auto pipe = make_pipe();
        // Out of the way of the numbers that the child is to have.
        Fd high{::fcntl(pipe.read.get(), F_DUPFD_CLOEXEC, 100)};
        actions.dup(high, number);
        if (::write(pipe.write.get(), content.data(), content.size()) != static_cast<ssize_t>(content.size()))
            fail(errno, "a descriptor's content is longer than a pipe holds");
        children.push_back(std::move(high));
    }
    if (!command.folder.empty()) actions.folder(command.folder.string());
    impl_->pid = spawn(command, actions);
    children.clear();
    if (command.input) {
        impl_->pending = *command.input;
        impl_->input_ends = !command.terminal;
    }
    impl_->pump = std::thread{[impl = impl_.get()] { impl->run(); }};
}

Process::Process(Process&&) noexcept = default;

Process& Process::operator=(Process&& other) noexcept {
    std::swap(impl_, other.impl_);
    return *this;
}

Process::~Process() {
    if (!impl_) return;
    if (!impl_->reap(false)) {
        ::kill(impl_->pid, SIGKILL);
        impl_->reap(true);
    }
    {
        const std::scoped_lock lock{impl_->mutex};
        impl_->stop = true;
    }
    impl_->notify();
    impl_->pump.join();
}

pid_t Process::pid() const {
    return impl_->pid;
}

void Process::write(std::string_view text) {
    {
        const std::scoped_lock lock{impl_->mutex};
        impl_->pending.append(text);
    }
    impl_->notify();
}

void Process::close_input() {
    {
        const std::scoped_lock lock{impl_->mutex};
        impl_->input_ends = true;
    }
    impl_->notify();
}

void Process::kill(int signal) {
    if (!impl_->reap(false)) ::kill(impl_->pid, signal);
}

std::optional<Exited> Process::wait(std::chrono::milliseconds timeout) {
    const auto deadline = Clock::now() + timeout;
    while (!impl_->reap(false)) {
        if (Clock::now() >= deadline) return std::nullopt;
        std::unique_lock lock{impl_->mutex};
        // Its pipes close when it ends, which wakes us; a child that closed them early is looked at again
        // soon.
        if (impl_->drained) {
            lock.unlock();
            std::this_thread::sleep_for(std::chrono::milliseconds{2});
        } else {
            impl_->changed.wait_until(lock, std::min(deadline, Clock::now() + std::chrono::milliseconds{50}));
        }
    }
    std::unique_lock lock{impl_->mutex};
    // A grandchild may hold the pipes: what it prints isn't waited for long.
    impl_->changed.wait_for(lock, std::chrono::seconds{2}, [this] { return impl_->drained; });
    return impl_->exited;
}

bool Process::wait_for(std::string_view text, std::chrono::milliseconds timeout, bool errors) {
    std::unique_lock lock{impl_->mutex};
    const auto& where = errors ? impl_->errors : impl_->output;
    const auto found = [&] { return where.find(text) != std::string::npos; };
    impl_->changed.wait_for(lock, timeout, [&] { return found() || impl_->drained; });
    return found();
}

std::string Process::output() const {
    const std::scoped_lock lock{impl_->mutex};
    return impl_->output;
}

std::string Process::errors() const {
    const std::scoped_lock lock{impl_->mutex};
    return impl_->errors;
}

Finished run(Command command, std::chrono::milliseconds timeout) {
    if (!command.input && !command.terminal) command.input = "";
    Process process{command};
    Finished result;
    auto exit = process.wait(timeout);
    if (!exit) {
        result.timed_out = true;
        process.kill(SIGKILL);
        exit = process.wait(std::chrono::seconds{10});
    }
    result.exit = exit.value_or(Exited{});
    result.output = process.output();
    result.errors = process.errors();
    return result;
}

TemporaryFolder::TemporaryFolder() {
    auto name = (std::filesystem::temp_directory_path() / "sotto-test-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) fail(errno, "mkdtemp");
    path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

void write_file(const std::filesystem::path& file, std::string_view content) {
    std::ofstream stream{file, std::ios::binary | std::ios::trunc};
    stream.write(content.data(), static_cast<std::streamsize>(content.size()));
    stream.close();
    if (!stream) fail(EIO, file.c_str());
}

std::string read_file(const std::filesystem::path& file) {
    std::ifstream stream{file, std::ios::binary};
    if (!stream) fail(ENOENT, file.c_str());
    std::ostringstream content;
    content << stream.rdbuf();
    return content.str();
}

std::vector<std::string> lines_of(std::string_view text) {
    std::vector<std::string> result;
    while (!text.empty()) {
        const auto end = text.find('\n');
        result.emplace_back(text.substr(0, end));
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    return result;
}

std::uint16_t free_port() {
    const Fd fd{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    if (!fd.open()) fail(errno, "socket");
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0)
        fail(errno, "bind");
    return ntohs(address.sin_port);
}

bool terminals_work() {
    const Fd master{::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)};
    return master.open();
}

}  // namespace sotto::test
