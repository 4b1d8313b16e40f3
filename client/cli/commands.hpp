// The one table of commands: parsing, help and dispatch come from it.
#pragma once

#include <span>
#include <string_view>

#include "options.hpp"
#include "outcome.hpp"

namespace CLI {
class App;
}

namespace sotto::cli {

struct Command {
    std::string_view path;     ///< "send", "contact add"
    std::string_view summary;  ///< one line
    std::string_view details;  ///< further lines of its help
    void (*declare)(CLI::App& app, Options& options);
    Outcome (*run)(const Options& options);  ///< null: only a group of others
};

[[nodiscard]] std::span<const Command> commands();

// One function a verb; each file `*_verb.cpp` says what it does.
Outcome run_init(const Options& options);
Outcome run_whoami(const Options& options);
Outcome run_status(const Options& options);
Outcome run_invite(const Options& options);
Outcome run_contact_add(const Options& options);
Outcome run_contact_list(const Options& options);
Outcome run_contact_show(const Options& options);
Outcome run_contact_block(const Options& options);
Outcome run_contact_unblock(const Options& options);
Outcome run_contact_remove(const Options& options);
Outcome run_verify(const Options& options);
Outcome run_send(const Options& options);
Outcome run_receive(const Options& options);
Outcome run_chat(const Options& options);
Outcome run_contact_set(const Options& options);
Outcome run_presence(const Options& options);
Outcome run_direct(const Options& options);
Outcome run_who(const Options& options);
Outcome run_history(const Options& options);
Outcome run_passphrase(const Options& options);

}  // namespace sotto::cli
