// The commands of sotto-keyserver.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "keyserver/app/problem.hpp"

namespace sotto::keyserver {

struct InitOptions {
    std::filesystem::path data;
    std::string listen;
    std::optional<std::string> name;
    std::string registration = "invite";
    std::optional<std::filesystem::path> certificate;
    std::optional<std::filesystem::path> key;
};
/// Prints the server's address on standard output, and what else is to be known on standard error.
[[nodiscard]] Outcome<void> init(const InitOptions& options);

struct RunOptions {
    std::filesystem::path data;
    std::optional<std::string> listen;
};
/// Serves until SIGTERM or SIGINT. Prints one line on standard output when it accepts connections.
[[nodiscard]] Outcome<void> run(const RunOptions& options);

struct InviteOptions {
    std::filesystem::path data;
    unsigned days = 7;
};
/// Prints a single-use invite on standard output; also while the server runs.
[[nodiscard]] Outcome<void> invite(const InviteOptions& options);

}  // namespace sotto::keyserver
