// sotto-loadgen: many honest clients for a key server, and what they cost it. docs/performance.md.
#include <CLI/CLI.hpp>
#include <csignal>
#include <exception>
#include <fstream>
#include <iostream>

#include "bench/loadgen/jobs.hpp"
#include "bench/loadgen/problem.hpp"
#include "bench/loadgen/process.hpp"

namespace sotto::loadgen {
namespace {

struct Line {
    Common common;
    std::string server;
    std::optional<int> pid;
    std::string invites;
    unsigned patience_s = 120;
    IdleOptions idle;
    unsigned hold_s = 30;
    LoginOptions login;
    RelayOptions relay;
    unsigned length_s = 10;
    HostileOptions hostile;
    unsigned hostile_s = 60;
    unsigned quiet_s = 30;
    unsigned restart_after_s = 0;
    MailboxOptions mailbox;
    PrekeysOptions prekeys;
    PresenceOptions presence;
    OnlineOptions online;
    StormOptions storm;
};

constexpr std::size_t most = 100'000'000;
constexpr std::size_t largest_content = 64UL * 1024;

void add_common(CLI::App& app, Line& line) {
    app.add_option("--server", line.server, "The server's address: sotto://HOST:PORT/#PIN")->required();
    app.add_option("--server-pid", line.pid, "Its process, to know what it costs")
        ->check(CLI::PositiveNumber);
    app.add_flag("--json", line.common.json, "Print one JSON object");
    app.add_option("--threads", line.common.threads, "Threads of the load generator")
        ->check(CLI::Range(1, 64))
        ->capture_default_str();
    app.add_option("--parallel", line.common.parallel, "Clients that come up at one time")
        ->check(CLI::Range(std::size_t{1}, std::size_t{10'000}))
        ->capture_default_str();
    app.add_option("--per-address", line.common.per_address, "Clients that share one address of 127.0.0.0/8")
        ->check(CLI::Range(std::size_t{1}, std::size_t{20'000}))
        ->capture_default_str();
    app.add_option("--patience", line.patience_s, "Seconds without any progress before a job is given up")
        ->check(CLI::Range(1U, 3600U))
        ->capture_default_str();
    app.add_option("--invites", line.invites, "A file with a registration invite in each line");
}

void add_restart(CLI::App& job, RestartOptions& restart, unsigned& after_s) {
    job.add_option("--restart", restart.command,
                   "A command that restarts the server under way, as for storm");
    job.add_option("--restart-after", after_s, "Seconds after the beginning")->capture_default_str();
}

void add_hostile(CLI::App& job, HostileOptions& options) {
    const CLI::Range rates(0.0, 10'000.0);
    const auto rate = [&job, &rates](const char* name, double& value, const char* what) {
        job.add_option(name, value, what)->check(rates)->capture_default_str();
    };
    job.footer(
        "Rates of hostile peers are new connections a second. The load generator makes them, too: keep all "
        "of "
        "them together so low that two cores are not full, or the figures are its own and not the server's.");
    job.add_option("--pairs", options.relay.pairs, "Honest pairs")
        ->check(CLI::Range(std::size_t{1}, most))
        ->capture_default_str();
    job.add_option("--rate", options.relay.rate, "Messages a second, all pairs together")
        ->check(CLI::Range(1.0, 1e7))
        ->capture_default_str();
    job.add_option("--size", options.relay.size, "Bytes of content in an envelope")
        ->check(CLI::Range(std::size_t{1}, largest_content))
        ->capture_default_str();
    rate("--hellos", options.hellos, "ClientHello, and gone at the answer");
    rate("--handshakes", options.handshakes, "Whole TLS handshakes, and gone");
    rate("--slow", options.slow,
         "One byte a second: in TLS, in the HTTP request, in a frame, so many of each");
    rate("--deaf", options.deaf, "Devices, and as many delivery connections, that ask and never read");
    rate("--pings", options.pings, "What each of these asks a second");
    rate("--oversized", options.oversized, "Frames, messages, HTTP headers, TLS records that are too large");
    rate("--truncated", options.truncated, "Half a ClientHello, HTTP request or frame");
    rate("--random", options.random, "Noise: in TCP, in TLS, in WebSocket, so many of each");
    job.add_option("--addresses", options.addresses, "Addresses that hostile peers come from")
        ->check(CLI::Range(std::size_t{1}, std::size_t{1'000'000}))
        ->capture_default_str();
    job.add_option("--flood-addresses", options.flood_addresses, "Those of hellos and handshakes")
        ->check(CLI::Range(std::size_t{1}, std::size_t{1'000'000}))
        ->capture_default_str();
    job.add_option("--most-open", options.most_open, "Hostile connections at one time")
        ->check(CLI::Range(std::size_t{1}, most))
        ->capture_default_str();
}

/// The jobs, by the sub-commands that ask for them.
struct Jobs {
    CLI::App* idle;
    CLI::App* login;
    CLI::App* relay;
    CLI::App* hostile;
    CLI::App* mailbox;
    CLI::App* prekeys;
    CLI::App* presence;
    CLI::App* online;
    CLI::App* storm;
};

void add_presence(const Jobs& jobs, Line& line) {
    jobs.presence
        ->add_option("--watchers", line.presence.watchers,
                     "Without --apart the server's presence_watchers has to allow for so many")
        ->check(CLI::Range(std::size_t{1}, most))
        ->capture_default_str();
    jobs.presence->add_option("--changes", line.presence.changes)
        ->check(CLI::Range(std::size_t{1}, most))
        ->capture_default_str();
    jobs.presence->add_flag("--apart", line.presence.apart,
                            "Each watcher has a publisher of their own; they change in turn");
    jobs.online->add_option("--people", line.online.people)
        ->check(CLI::Range(std::size_t{3}, most))
        ->capture_default_str();
    jobs.online->add_option("--contacts", line.online.contacts, "Of each, among the people")
        ->check(CLI::Range(std::size_t{1}, std::size_t{1024}))
        ->capture_default_str();
    jobs.online->add_option("--rounds", line.online.rounds, "How often one of them goes and comes back")
        ->check(CLI::Range(std::size_t{1}, std::size_t{100'000}))
        ->capture_default_str();
}

Jobs add_jobs(CLI::App& app, Line& line) {
    const Jobs jobs{
        .idle = app.add_subcommand("idle", "Clients log in and rest: memory of each, CPU time of all"),
        .login = app.add_subcommand("login", "Handshake, upgrade, login, and away again"),
        .relay = app.add_subcommand("relay", "Senders to connected recipients, until `delivered`"),
        .hostile = app.add_subcommand("hostile", "Honest pairs, first alone, then beside hostile peers"),
        .mailbox = app.add_subcommand("mailbox", "Envelopes stored for devices that are away, then read"),
        .prekeys = app.add_subcommand("prekeys", "Prekeys fetched, each a one-time one"),
        .presence = app.add_subcommand("presence", "Changes of a status, told to those who watch it"),
        .online = app.add_subcommand("online", "People with contacts come online, and one of them again"),
        .storm = app.add_subcommand("storm", "The server restarts under its clients")};
    jobs.idle->add_option("--clients", line.idle.clients)
        ->check(CLI::Range(std::size_t{1}, most))
        ->capture_default_str();
    jobs.idle->add_option("--hold", line.hold_s, "Seconds of rest")
        ->check(CLI::Range(1U, 86'400U))
        ->capture_default_str();
    jobs.login->add_option("--count", line.login.count, "Logins")
        ->check(CLI::Range(std::size_t{1}, most))
        ->capture_default_str();
    jobs.relay->add_option("--pairs", line.relay.pairs)
        ->check(CLI::Range(std::size_t{1}, most))
        ->capture_default_str();
    jobs.relay->add_option("--window", line.relay.window, "Messages of a pair under way")
        ->check(CLI::Range(1, 64))
        ->capture_default_str();
    jobs.relay->add_option("--seconds", line.length_s)->check(CLI::Range(1U, 86'400U))->capture_default_str();
    jobs.relay
        ->add_option("--rate", line.relay.rate,
                     "Messages a second, all pairs together; 0: what the windows let through")
        ->check(CLI::Range(0.0, 1e7))
        ->capture_default_str();
    jobs.relay->add_option("--size", line.relay.size, "Bytes of content in an envelope")
        ->check(CLI::Range(std::size_t{1}, largest_content))
        ->capture_default_str();
    add_hostile(*jobs.hostile, line.hostile);
    jobs.hostile->add_option("--quiet", line.quiet_s, "Seconds without hostile peers, at first")
        ->check(CLI::Range(1U, 86'400U))
        ->capture_default_str();
    jobs.hostile->add_option("--seconds", line.hostile_s, "Seconds beside them")
        ->check(CLI::Range(1U, 86'400U))
        ->capture_default_str();
    add_restart(*jobs.relay, line.relay.restart, line.restart_after_s);
    add_restart(*jobs.mailbox, line.mailbox.restart, line.restart_after_s);
    jobs.mailbox->add_option("--devices", line.mailbox.devices)
        ->check(CLI::Range(std::size_t{1}, most))
        ->capture_default_str();
    jobs.mailbox->add_option("--messages", line.mailbox.messages, "For each device")
        ->check(CLI::Range(1, 10'000))
        ->capture_default_str();
    jobs.mailbox->add_option("--senders", line.mailbox.senders, "Connections that deliver")
        ->check(CLI::Range(std::size_t{1}, most))
        ->capture_default_str();
    jobs.mailbox->add_option("--window", line.mailbox.window, "Messages of a sender under way")
        ->check(CLI::Range(1, 64))
        ->capture_default_str();
    jobs.mailbox->add_option("--size", line.mailbox.size, "Bytes of content in an envelope")
        ->check(CLI::Range(std::size_t{1}, largest_content))
        ->capture_default_str();
    jobs.prekeys->add_option("--fetches", line.prekeys.fetches)
        ->check(CLI::Range(std::size_t{1}, most))
        ->capture_default_str();
    add_presence(jobs, line);
    jobs.storm->add_option("--clients", line.storm.clients)
        ->check(CLI::Range(std::size_t{1}, most))
        ->capture_default_str();
    jobs.storm
        ->add_option("--restart", line.storm.restart.command,
                     "A shell command that stops the server, starts it, and prints the new process's id last")
        ->required();
    return jobs;
}

void complete(Line& line) {
    const auto server = protocol::parse_server_link(line.server);
    if (!server) throw Problem(Exit::input, server.error());
    line.common.server = *server;
    line.common.server_pid = line.pid;
    line.common.patience = std::chrono::seconds{line.patience_s};
    line.idle.hold = std::chrono::seconds{line.hold_s};
    line.relay.length = std::chrono::seconds{line.length_s};
    line.hostile.quiet = std::chrono::seconds{line.quiet_s};
    line.hostile.relay.length = std::chrono::seconds{line.hostile_s};
    line.relay.restart.after = std::chrono::seconds{line.restart_after_s};
    line.mailbox.restart.after = line.relay.restart.after;
    if (line.invites.empty()) return;
    std::ifstream file(line.invites);
    if (!file) throw Problem(Exit::input, "The file " + line.invites + " can't be read.");
    for (std::string invite; std::getline(file, invite);)
        if (!invite.empty()) line.common.invites.push_back(invite);
}

/// Connections that a job has at one time.
[[nodiscard]] std::size_t connections(const Jobs& jobs, const Line& line) {
    if (jobs.idle->parsed()) return line.idle.clients;
    if (jobs.relay->parsed()) return 2 * line.relay.pairs;
    if (jobs.hostile->parsed())
        return 2 * line.hostile.relay.pairs + line.hostile.most_open + line.common.parallel;
    if (jobs.mailbox->parsed()) return line.mailbox.senders + line.common.parallel;
    if (jobs.prekeys->parsed()) return line.prekeys.fetches / 100 + line.common.parallel;
    if (jobs.presence->parsed()) return line.presence.watchers * (line.presence.apart ? 2 : 1) + 1;
    if (jobs.online->parsed()) return line.online.people + 1;
    if (jobs.storm->parsed()) return line.storm.clients;
    return 2 * line.common.parallel;
}

[[nodiscard]] Result run(const Jobs& jobs, const Line& line) {
    if (const auto sentence = allow_connections(connections(jobs, line)))
        throw Problem(Exit::input, *sentence);
    const auto& common = line.common;
    // Better now than after minutes in which accounts were made.
    if (common.server_pid) (void)ServerProcess(*common.server_pid).pss();
    if (jobs.idle->parsed()) return idle(common, line.idle);
    if (jobs.login->parsed()) return login(common, line.login);
    if (jobs.relay->parsed()) return relay(common, line.relay);
    if (jobs.hostile->parsed()) return hostile(common, line.hostile);
    if (jobs.mailbox->parsed()) return mailbox(common, line.mailbox);
    if (jobs.prekeys->parsed()) return prekeys(common, line.prekeys);
    if (jobs.presence->parsed()) return presence(common, line.presence);
    if (jobs.online->parsed()) return online(common, line.online);
    return storm(common, line.storm);
}

int main_of(int argc, char** argv) {
    CLI::App app{
        "Many clients for a key server of Sotto, honest ones as a rule, and what they cost it. "
        "Exit code 3 if anything was lost or came twice."};
    app.set_version_flag("--version", SOTTO_VERSION);
    app.require_subcommand(1);
    app.fallthrough();
    Line line;
    add_common(app, line);
    const auto jobs = add_jobs(app, line);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        if (error.get_exit_code() == 0) return app.exit(error);
        std::cerr << "sotto-loadgen: " << error.what() << " (see sotto-loadgen --help)\n";
        return static_cast<int>(Exit::input);
    }
    if (std::signal(SIGPIPE, SIG_IGN) == SIG_ERR) return static_cast<int>(Exit::bug);
    complete(line);
    const auto result = run(jobs, line);
    if (line.common.json)
        std::cout << to_json(result).dump(2) << '\n';
    else
        std::cout << to_text(result);
    return static_cast<int>(result.clean() ? Exit::done : Exit::server);
}

}  // namespace
}  // namespace sotto::loadgen

int main(int argc, char** argv) {
    using sotto::loadgen::Exit;
    try {
        return sotto::loadgen::main_of(argc, argv);
    } catch (const sotto::loadgen::Problem& problem) {
        std::cerr << "sotto-loadgen: " << problem.what() << '\n';
        return static_cast<int>(problem.exit());
    } catch (const std::exception& error) {
        std::cerr << "sotto-loadgen: this is a bug, please report it: " << error.what() << '\n';
        return static_cast<int>(Exit::bug);
    }
}
