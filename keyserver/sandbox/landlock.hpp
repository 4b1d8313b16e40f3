// The kernel's interface for Landlock, of which older headers know only the first versions.
// Linux, Documentation/userspace-api/landlock.rst.
#pragma once

#include <cstdint>

namespace sotto::keyserver::landlock {

/// Access to files: what each version of the interface has added to those before it.
constexpr std::uint64_t execute = 1U << 0U;
constexpr std::uint64_t write_file = 1U << 1U;
constexpr std::uint64_t read_file = 1U << 2U;
constexpr std::uint64_t read_dir = 1U << 3U;
constexpr std::uint64_t remove_dir = 1U << 4U;
constexpr std::uint64_t remove_file = 1U << 5U;
constexpr std::uint64_t make_dir = 1U << 7U;
constexpr std::uint64_t make_reg = 1U << 8U;
constexpr std::uint64_t first_version = (1U << 13U) - 1U;  ///< all of them
constexpr std::uint64_t refer = 1U << 13U;                 ///< version 2
constexpr std::uint64_t truncate = 1U << 14U;              ///< version 3
constexpr std::uint64_t ioctl_dev = 1U << 15U;             ///< version 5

/// Ports of TCP; version 4.
constexpr std::uint64_t bind_tcp = 1U << 0U;
constexpr std::uint64_t connect_tcp = 1U << 1U;

/// What of other processes can be reached; version 6.
constexpr std::uint64_t abstract_unix_socket = 1U << 0U;
constexpr std::uint64_t signal = 1U << 1U;

struct Ruleset {
    std::uint64_t files = 0;
    std::uint64_t network = 0;
    std::uint64_t scope = 0;
};

/// Kinds of rule.
constexpr int path_beneath = 1;
constexpr int net_port = 2;

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
