// The kernel's interface for Landlock, of which older headers know only the first versions.
// Linux, Documentation/userspace-api/landlock.rst.
#pragma once

#include <cstdint>

namespace sotto::keyserver::landlock {

/// Access to files: what each version of the interface has added to those before it.
enum Files : std::uint64_t {
    execute = 1U << 0U,
    write_file = 1U << 1U,
    read_file = 1U << 2U,
    read_dir = 1U << 3U,
    remove_dir = 1U << 4U,
    remove_file = 1U << 5U,
    make_dir = 1U << 7U,
    make_reg = 1U << 8U,
    first_version = (1U << 13U) - 1U,
    refer = 1U << 13U,      ///< version 2
    truncate = 1U << 14U,   ///< version 3
    ioctl_dev = 1U << 15U,  ///< version 5
};

/// Version 4.
enum Network : std::uint64_t { bind_tcp = 1U << 0U, connect_tcp = 1U << 1U };

/// Version 6.
enum Scope : std::uint64_t { abstract_unix_socket = 1U << 0U, signal = 1U << 1U };

struct Ruleset {
    std::uint64_t files = 0;
    std::uint64_t network = 0;
    std::uint64_t scope = 0;
};

enum class Rule : int { path_beneath = 1, net_port = 2 };

/// Packed as in the kernel.
struct [[gnu::packed]] PathBeneath {
    std::uint64_t allowed = 0;
    std::int32_t parent = -1;
};
struct NetPort {
    std::uint64_t allowed = 0;
    std::uint64_t port = 0;
};

}  // namespace sotto::keyserver::landlock
