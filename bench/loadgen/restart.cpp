#include "bench/loadgen/restart.hpp"

#include <array>
#include <charconv>
#include <cstdio>
#include <sstream>

#include "bench/loadgen/problem.hpp"

namespace sotto::loadgen {

Restart::Restart(RestartOptions options) : options_(std::move(options)) {
    if (!options_.command.empty()) thread_ = std::jthread([this] { run(); });
}

void Restart::run() {
    std::this_thread::sleep_for(options_.after);
    // Our own descriptors are closed in it: they are all close-on-exec.
    std::FILE* const pipe = ::popen(options_.command.c_str(), "re");  // NOLINT(cert-env33-c): a shell's
    if (pipe == nullptr) {
        status_ = -1;
        return;
    }
    std::array<char, 256> buffer{};
    while (const auto size = std::fread(buffer.data(), 1, buffer.size(), pipe))
        printed_.append(buffer.data(), size);
    status_ = ::pclose(pipe);
}

std::optional<pid_t> Restart::finish() {
    if (!thread_.joinable()) return std::nullopt;
    thread_.join();
    if (status_ != 0) throw Problem(Exit::server, "The command that restarts the server failed.");
    std::istringstream words(printed_);
    std::string last;
    for (std::string word; words >> word;) last = word;
    pid_t pid = 0;
    const auto [end, error] = std::from_chars(last.data(), last.data() + last.size(), pid);
    if (error != std::errc{} || end != last.data() + last.size() || pid <= 0)
        throw Problem(Exit::input,
                      "The command that restarts the server must print the new process's id last.");
    return pid;
}

}  // namespace sotto::loadgen
