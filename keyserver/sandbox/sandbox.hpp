// What the running server shuts itself out of, beside what a service manager may do: files by Landlock,
// system calls by seccomp. Both are inherited by every thread that is started afterwards and can't be undone.
#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <string>
#include <vector>

namespace sotto::keyserver {

/// What stays open.
struct SandboxRules {
    std::vector<std::filesystem::path> writable;  ///< folders, with everything below them
    std::vector<std::filesystem::path>
        readable;                      ///< folders or files; those that don't exist are passed over
    std::vector<std::uint16_t> ports;  ///< that may be listened on; with a 0 among them, any
};

/// What the kernel offered and what was made of it.
struct Sandbox {
    int landlock = 0;      ///< version of its interface; 0: this kernel has none. From 4 on it covers TCP too
    bool seccomp = false;  ///< false: this kernel has none
};

/// Shuts the calling thread in, and all that it starts from here on. Where the kernel lacks a part that part
/// is left out; where it has it and refuses, one sentence says so and the process is not to go on.
[[nodiscard]] std::expected<Sandbox, std::string> enter_sandbox(const SandboxRules& rules);

/// "files and TCP ports by Landlock 7, system calls by seccomp".
[[nodiscard]] std::string describe(const Sandbox& sandbox);

/// Under a sanitizer or a coverage report the process does more than its own work, and stays outside.
[[nodiscard]] constexpr bool sandbox_is_built_in() {
#ifdef SOTTO_INSTRUMENTED
    return false;
#else
    return true;
#endif
}

}  // namespace sotto::keyserver
