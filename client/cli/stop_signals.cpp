#include "stop_signals.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <system_error>

namespace sotto::cli {
namespace {

sigset_t stopping_signals() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    return set;
}

/// From here on they come through the descriptor alone.
int take_signals() {
    const auto set = stopping_signals();
    ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
    return ::signalfd(-1, &set, SFD_CLOEXEC);
}

}  // namespace

StopSignals::StopSignals(std::function<void()> stop)
    : stop_(std::move(stop)), signals_(take_signals()), end_(::eventfd(0, EFD_CLOEXEC)) {
    if (signals_ < 0 || end_ < 0) throw std::system_error(errno, std::generic_category(), "signalfd");
    thread_ = std::thread{[this] { watch(); }};
}

StopSignals::~StopSignals() {
    const std::uint64_t one = 1;
    static_cast<void>(!::write(end_, &one, sizeof one));
    thread_.join();
    ::close(signals_);
    ::close(end_);
    const auto set = stopping_signals();
    ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

void StopSignals::watch() {
    bool asked = false;
    while (true) {
        std::array<pollfd, 2> polled{pollfd{.fd = signals_, .events = POLLIN, .revents = 0},
                                     pollfd{.fd = end_, .events = POLLIN, .revents = 0}};
        if (::poll(polled.data(), polled.size(), -1) < 0) continue;
        if (polled[1].revents != 0) return;
        signalfd_siginfo info{};
        if (::read(signals_, &info, sizeof info) != sizeof info) continue;
        if (asked) ::_exit(128 + static_cast<int>(info.ssi_signo));
        asked = true;
        stop_();
    }
}

}  // namespace sotto::cli
