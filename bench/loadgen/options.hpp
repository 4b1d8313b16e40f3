// What was asked for on the command line.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "sotto/protocol/link.hpp"

namespace sotto::loadgen {

/// For every job.
struct Common {
    protocol::Endpoint server;
    std::optional<pid_t> server_pid;  ///< none: what the server costs isn't known
    bool json = false;
    unsigned threads = 1;
    std::size_t parallel = 64;           ///< clients that come up at one time
    std::size_t per_address = 1;         ///< clients that share a source address
    std::chrono::seconds patience{120};  ///< with anything that has to end by itself
    std::vector<std::string> invites;    ///< one for each account, where the server asks for them
};

/// The server is restarted while a job goes on.
struct RestartOptions {
    /// Run by the shell: stops the server, starts it again, and prints the new process's id when it is ready.
    /// Empty: nothing is restarted.
    std::string command;
    std::chrono::seconds after{0};  ///< the job's beginning
};

struct IdleOptions {
    std::size_t clients = 1000;
    std::chrono::seconds hold{30};
};
struct LoginOptions {
    std::size_t count = 10'000;
};
struct RelayOptions {
    std::size_t pairs = 500;
    std::size_t window = 1;  ///< messages of a pair under way
    std::chrono::seconds length{10};
    double rate = 0;         ///< messages a second, all pairs together; 0: as many as the windows let through
    std::size_t size = 300;  ///< bytes of content in an envelope
    RestartOptions restart{};
};
/// Rates are new connections a second, together no more than the load generator can make beside a server on
/// two cores.
struct HostileOptions {
    /// The honest pairs; `length` is that of the hostile phase.
    RelayOptions relay{.pairs = 100, .window = 4, .length = std::chrono::seconds{60}, .rate = 1000};
    std::chrono::seconds quiet{30};
    double hellos = 200;
    double handshakes = 100;
    double slow = 5;      ///< of each of three kinds
    double deaf = 0.2;    ///< of each of two kinds
    double pings = 2000;  ///< a second, of each deaf one
    double oversized = 10;
    double truncated = 10;
    double random = 10;  ///< of each of three kinds
    std::size_t addresses = 1000;
    std::size_t flood_addresses = 2;  ///< of hellos and handshakes: few, so that the server's limit is met
    std::size_t most_open = 2000;
};
struct MailboxOptions {
    std::size_t devices = 100;
    std::size_t messages = 100;
    std::size_t senders = 32;
    std::size_t window = 16;
    std::size_t size = 300;
    RestartOptions restart{};
};
struct PrekeysOptions {
    std::size_t fetches = 10'000;
};
struct PresenceOptions {
    std::size_t watchers = 1000;
    std::size_t changes = 100;
    bool apart = false;  ///< each watcher has a publisher of their own
};
struct OnlineOptions {
    std::size_t people = 1000;
    std::size_t contacts = 50;
    std::size_t rounds = 20;
};
struct StormOptions {
    std::size_t clients = 1000;
    RestartOptions restart{};
};

}  // namespace sotto::loadgen
