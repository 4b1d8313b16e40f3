#include "bench/loadgen/process.hpp"

#include <sys/resource.h>

#include <ctime>
#include <fstream>
#include <sstream>

#include "bench/loadgen/problem.hpp"

namespace sotto::loadgen {
namespace {

constexpr rlim_t other_descriptors = 64;  // the standard ones, one epoll a thread, libraries

}  // namespace

ServerProcess::ServerProcess(pid_t pid) : pid_(pid) {
    if (::clock_getcpuclockid(pid, &clock_) != 0)
        throw Problem(Exit::input,
                      "There is no process " + std::to_string(pid) + ": --server-pid is the server's.");
}

double ServerProcess::cpu_us() const {
    timespec time{};
    if (::clock_gettime(clock_, &time) != 0)
        throw Problem(Exit::server, "The server's process " + std::to_string(pid_) + " has ended.");
    return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) / 1e3;
}

std::uint64_t ServerProcess::pss() const {
    const std::ifstream file("/proc/" + std::to_string(pid_) + "/smaps_rollup");
    std::ostringstream text;
    if (file) text << file.rdbuf();
    const auto pss = parse_pss(text.str());
    if (!pss)
        throw Problem(Exit::input, "The memory of process " + std::to_string(pid_) +
                                       " can't be read: run this as the server's user, or as root.");
    return *pss;
}

std::optional<std::uint64_t> parse_pss(const std::string& smaps_rollup) {
    std::istringstream lines(smaps_rollup);
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line);
        std::string name;
        std::string unit;
        std::uint64_t kib = 0;
        if (words >> name >> kib >> unit && name == "Pss:" && unit == "kB") return kib * 1024;
    }
    return std::nullopt;
}

std::optional<std::string> allow_connections(std::size_t connections) {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return "The limit of open descriptors can't be read.";
    const rlim_t wanted = connections + other_descriptors;
    const bool enough =
        limit.rlim_max >= other_descriptors && connections <= limit.rlim_max - other_descriptors;
    if (enough && limit.rlim_cur >= wanted) return std::nullopt;
    limit.rlim_cur = wanted;
    if (enough && ::setrlimit(RLIMIT_NOFILE, &limit) == 0) return std::nullopt;
    return std::to_string(connections) + " connections need " + std::to_string(wanted) +
           " descriptors, and this process may have " + std::to_string(limit.rlim_max) +
           ": raise the hard limit (ulimit -Hn), or ask for fewer.";
}

}  // namespace sotto::loadgen
