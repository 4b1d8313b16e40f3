#include <pthread.h>
#include <spdlog/spdlog.h>

#include <cerrno>
#include <csignal>
#include <iostream>
#include <stdexcept>

#include "keyserver/app/commands.hpp"
#include "keyserver/app/node.hpp"

namespace sotto::keyserver {
namespace {

constexpr time_t maintain_every_s = 600;

/// Blocks the signals that stop a server in every thread to come, so that the main one can wait for them.
[[nodiscard]] sigset_t block_stop_signals() {
    sigset_t set{};
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    if (pthread_sigmask(SIG_BLOCK, &set, nullptr) != 0 || std::signal(SIGPIPE, SIG_IGN) == SIG_ERR)
        throw std::runtime_error("signals can't be blocked");
    return set;
}

}  // namespace

Outcome<void> run(const RunOptions& options) {
    auto config = read_config(options.data);
    if (!config) return std::unexpected(config.error());
    if (options.listen) {
        const auto listen = parse_listen(*options.listen);
        if (!listen) return std::unexpected(listen.error());
        config->listen = *listen;
    }
    const auto signals = block_stop_signals();
    auto started = Node::start(options.data, *config);
    if (!started) return std::unexpected(started.error());
    auto& node = **started;
    auto listening = config->listen;
    listening.port = node.port();
    std::cout << "sotto-keyserver ready on " << format_listen(listening) << '\n' << std::flush;
    spdlog::info("ready");

    node.maintain();
    const timespec every{.tv_sec = maintain_every_s, .tv_nsec = 0};
    while (sigtimedwait(&signals, nullptr, &every) < 0)
        if (errno == EAGAIN) node.maintain();
    spdlog::info("stopping, {} connections are open", node.connections());
    node.stop();
    spdlog::info("stopped");
    return {};
}

}  // namespace sotto::keyserver
