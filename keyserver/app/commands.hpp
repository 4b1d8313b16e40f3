// The commands of sotto-keyserver. Each prints on standard output what it was asked for, with `json` as one
// JSON value, and what else is to be known on standard error.
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
    bool json = false;
};
/// Prints the server's address.
[[nodiscard]] Outcome<void> init(const InitOptions& options);

struct RunOptions {
    std::filesystem::path data;
    std::optional<std::string> listen;
    std::optional<std::string> log_level;  ///< instead of the configured one
};
/// Serves until SIGTERM or SIGINT. Prints one line when it accepts connections. SIGHUP reloads.
[[nodiscard]] Outcome<void> run(const RunOptions& options);

// ---- invites; also while the server runs ----

struct InviteOptions {
    std::filesystem::path data;
    unsigned days = 7;
    std::string invite;  ///< to revoke: the invite itself, or the beginning of its id
    bool json = false;
};
[[nodiscard]] Outcome<void> invite_create(const InviteOptions& options);
[[nodiscard]] Outcome<void> invite_list(const InviteOptions& options);
[[nodiscard]] Outcome<void> invite_revoke(const InviteOptions& options);

// ---- users; also while the server runs, which cuts them off within a second ----

struct UserOptions {
    std::filesystem::path data;
    std::string name;
    bool json = false;
};
[[nodiscard]] Outcome<void> user_list(const UserOptions& options);
[[nodiscard]] Outcome<void> user_show(const UserOptions& options);
[[nodiscard]] Outcome<void> user_disable(const UserOptions& options);
[[nodiscard]] Outcome<void> user_enable(const UserOptions& options);
[[nodiscard]] Outcome<void> user_delete(const UserOptions& options);

// ---- backups ----

struct BackupOptions {
    std::filesystem::path data;
    std::filesystem::path target;  ///< a file that is not there yet, or a folder to make one in
    bool json = false;
};
/// One file, encrypted with the store key: the store, the configuration, the certificate and its key. Also
/// while the server runs.
[[nodiscard]] Outcome<void> backup(const BackupOptions& options);

struct RestoreOptions {
    std::filesystem::path data;  ///< new or empty
    std::filesystem::path backup;
    std::filesystem::path store_key;
    bool json = false;
};
[[nodiscard]] Outcome<void> restore(const RestoreOptions& options);

// ---- looking after it ----

struct CheckOptions {
    std::filesystem::path data;
    std::optional<std::string>
        address;  ///< host:port to reach it by, instead of its name and configured port
    bool json = false;
};
/// Prints a line for everything that was looked at; a problem if anything of it has failed.
[[nodiscard]] Outcome<void> check(const CheckOptions& options);

}  // namespace sotto::keyserver
