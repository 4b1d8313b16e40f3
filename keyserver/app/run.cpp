#include <pthread.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>

#include <cerrno>
#include <csignal>
#include <iostream>
#include <stdexcept>

#include "keyserver/app/commands.hpp"
#include "keyserver/app/log.hpp"
#include "keyserver/app/node.hpp"
#include "keyserver/app/notify.hpp"
#include "keyserver/sandbox/sandbox.hpp"

namespace sotto::keyserver {
namespace {

constexpr time_t look_every_s = 1;
constexpr unsigned maintain_every_looks = 600;

/// Blocks the signals that tell a server something in every thread to come, so that the main one can wait for
/// them.
[[nodiscard]] sigset_t block_signals() {
    sigset_t set{};
    sigemptyset(&set);
    for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, signal);
    if (pthread_sigmask(SIG_BLOCK, &set, nullptr) != 0 || std::signal(SIGPIPE, SIG_IGN) == SIG_ERR)
        throw std::runtime_error("signals can't be blocked");
    return set;
}

/// As many files as the system lets us have: a connection is one.
void raise_file_limit(std::size_t connections) {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    if (::setrlimit(RLIMIT_NOFILE, &limit) != 0 || ::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    if (limit.rlim_cur < connections)
        spdlog::warn("only {} files may be open, fewer than max_connections: see `sotto-keyserver check`",
                     limit.rlim_cur);
}

[[nodiscard]] Outcome<Config> configured(const RunOptions& options) {
    auto config = read_config(options.data);
    if (!config) return config;
    if (options.listen) {
        const auto listen = parse_listen(*options.listen);
        if (!listen) return std::unexpected(listen.error());
        config->listen = *listen;
    }
    if (options.log_level) config->log_level = *options.log_level;
    return config;
}

/// The folders of a file and of what it links to.
void add_folders(std::vector<std::filesystem::path>& out, const std::filesystem::path& file) {
    std::error_code none;
    out.push_back(file.parent_path());
    if (const auto target = std::filesystem::canonical(file, none); !none)
        out.push_back(target.parent_path());
}

Outcome<void> shut_in(const std::filesystem::path& data, const Config& config) {
    if (!sandbox_is_built_in()) {
        spdlog::info("sandbox: none, as this build is made for measuring");
        return {};
    }
    if (!config.sandbox) {
        spdlog::warn("sandbox: none, as the configuration says");
        return {};
    }
    // Times of day; and what a certificate that was renewed is read from.
    SandboxRules rules{.writable = {data},
                       .readable = {"/etc/localtime", "/usr/share/zoneinfo"},
                       .ports = {config.listen.port}};
    add_folders(rules.readable, config.certificate);
    add_folders(rules.readable, config.key);
    if (!config.turn_secret_file.empty()) add_folders(rules.readable, config.turn_secret_file);
    if (config.metrics_listen) rules.ports.push_back(config.metrics_listen->port);
    const auto entered = enter_sandbox(rules);
    if (!entered) return problem(Exit::server, entered.error());
    spdlog::info("sandbox: {}", describe(*entered));
    return {};
}

void reload(Node& node, const RunOptions& options) {
    const Reloading told;
    const auto config = configured(options);
    const auto later = config ? node.reload(*config) : std::unexpected(config.error());
    if (!later) {
        spdlog::error("nothing was reloaded, all stays as it was: {}", later.error().sentence);
        return;
    }
    set_up_log(config->log_level, config->log_format);
    for (const auto& setting : *later)
        spdlog::warn("the setting '{}' has changed; it takes another start to use it", setting);
    spdlog::info("reloaded");
}

void serve(Node& node, const RunOptions& options, const sigset_t& signals) {
    const timespec every{.tv_sec = look_every_s, .tv_nsec = 0};
    for (unsigned looks = 0;;) {
        const int signal = sigtimedwait(&signals, nullptr, &every);
        if (signal == SIGTERM || signal == SIGINT) return;
        if (signal == SIGHUP) reload(node, options);
        if (signal < 0 && errno == EAGAIN) {
            node.look();
            if (node.ready()) notify_alive();
            if (++looks % maintain_every_looks == 0) node.maintain();
        }
    }
}

}  // namespace

Outcome<void> run(const RunOptions& options) {
    const auto config = configured(options);
    if (!config) return std::unexpected(config.error());
    set_up_log(config->log_level, config->log_format);
    const auto signals = block_signals();
    auto started = Node::start(options.data, *config, [&] { return shut_in(options.data, *config); });
    if (!started) return std::unexpected(started.error());
    raise_file_limit(config->max_connections);
    auto& node = **started;
    auto listening = config->listen;
    listening.port = node.port();
    std::cout << "sotto-keyserver ready on " << format_listen(listening) << '\n' << std::flush;
    spdlog::info("ready");
    notify_ready();
    if (node.metrics_port() != 0) spdlog::info("metrics are on port {}", node.metrics_port());

    node.maintain();
    serve(node, options, signals);
    notify_stopping();
    spdlog::info("stopping, {} connections are open", node.connections());
    node.stop();
    spdlog::info("stopped");
    return {};
}

}  // namespace sotto::keyserver
