#include <CLI/CLI.hpp>
#include <exception>
#include <functional>
#include <iostream>

#include "keyserver/app/commands.hpp"
#include "keyserver/app/config.hpp"
#include "keyserver/app/log.hpp"
#include "keyserver/app/wipe_on_free.hpp"

namespace sotto::keyserver {
namespace {

int finish(const Outcome<void>& outcome) {
    if (outcome) return static_cast<int>(Exit::done);
    std::cerr << "sotto-keyserver: " << outcome.error().sentence << '\n';
    return static_cast<int>(outcome.error().exit);
}

/// The table of commands: what each takes, and what it does.
class Commands {
  public:
    explicit Commands(CLI::App& app) {
        add_init(app);
        add_run(app);
        add_invite(app);
        add_user(app);
        add_backup(app);
        add_restore(app);
        add_check(app);
    }

    void set_log_level(const std::optional<std::string>& level) { run_.log_level = level; }
    /// That of the innermost command that was named.
    [[nodiscard]] Outcome<void> carry_out() const {
        const std::function<Outcome<void>()>* chosen = nullptr;
        for (const auto& [command, action] : actions_)
            if (command->parsed()) chosen = &action;
        return chosen == nullptr ? problem(Exit::input, "No command was given.") : (*chosen)();
    }

  private:
    template <class Options>
    CLI::App* add(CLI::App& to, const char* name, const char* help, Outcome<void> (*command)(const Options&),
                  const Options& options) {
        auto* const made = to.add_subcommand(name, help);
        actions_.emplace_back(made, [command, &options] { return command(options); });
        return made;
    }
    static void data(CLI::App* command, std::filesystem::path& path) {
        command->add_option("--data", path, "The server's folder")->required();
    }
    static void json(CLI::App* command, bool& flag) {
        command->add_flag("--json", flag, "Print one JSON value");
    }

    void add_init(CLI::App& app) {
        init_.listen = default_listen;
        auto* const command =
            add(app, "init", "Set up a folder for a new server and print its address", init, init_);
        command->add_option("--data", init_.data, "A new folder for everything the server keeps")->required();
        command->add_option("--listen", init_.listen, "Address and port to listen on")->capture_default_str();
        command->add_option("--name", init_.name,
                            "The server's name, for ever; default: the host of --listen");
        command->add_option("--registration", init_.registration, "open, invite or closed")
            ->capture_default_str();
        command->add_option("--cert", init_.certificate,
                            "A certificate in PEM form; default: one of its own");
        command->add_option("--key", init_.key, "The certificate's private key in PEM form");
        json(command, init_.json);
    }
    void add_run(CLI::App& app) {
        auto* const command = add(app, "run", "Serve in the foreground until SIGTERM or SIGINT", run, run_);
        data(command, run_.data);
        command->add_option("--listen", run_.listen, "Address and port instead of the configured ones");
    }
    void add_invite(CLI::App& app) {
        auto* const command =
            add(app, "invite", "Invites that let one person each register; alone: create one", invite_create,
                invite_);
        data(command, invite_.data);
        json(command, invite_.json);
        command->add_option("--expires", invite_.days, "Days until it expires")
            ->check(CLI::Range(1, 3650))
            ->capture_default_str();
        command->require_subcommand(0, 1);
        add(*command, "create", "Print a new invite", invite_create, invite_);
        add(*command, "list", "Show those that are open, by their ids", invite_list, invite_);
        add(*command, "revoke", "Let nobody in by one any more", invite_revoke, invite_)
            ->add_option("INVITE", invite_.invite, "The invite itself, or the beginning of its id")
            ->required();
    }
    void add_user(CLI::App& app) {
        auto* const command = app.add_subcommand("user", "Accounts of this server");
        data(command, user_.data);
        json(command, user_.json);
        command->require_subcommand(1);
        add(*command, "list", "Show all of them", user_list, user_);
        const auto named = [&](const char* name, const char* help,
                               Outcome<void> (*action)(const UserOptions&)) {
            add(*command, name, help, action, user_)
                ->add_option("NAME", user_.name, "The user's name, without @ and server")
                ->required();
        };
        named("show", "Show one, with its devices", user_show);
        named("disable", "Shut one out; what it has is kept", user_disable);
        named("enable", "Let one back in", user_enable);
        named("delete", "Remove one with its mailbox, prekeys and tokens, for good", user_delete);
    }
    void add_backup(CLI::App& app) {
        auto* const command =
            add(app, "backup", "Write one encrypted file that `restore` takes; also while it runs", backup,
                backup_);
        data(command, backup_.data);
        json(command, backup_.json);
        command->add_option("TARGET", backup_.target, "A new file, or a folder to make one in")->required();
    }
    void add_restore(CLI::App& app) {
        auto* const command = add(app, "restore", "Make a server's folder from a backup", restore, restore_);
        command->add_option("--data", restore_.data, "A new folder")->required();
        json(command, restore_.json);
        command->add_option("--store-key", restore_.store_key, "The store key that the backup was made under")
            ->required();
        command->add_option("BACKUP", restore_.backup, "What `backup` has written")->required();
    }
    void add_check(CLI::App& app) {
        auto* const command =
            add(app, "check", "Look for what is wrong, or soon will be; also while it runs", check, check_);
        data(command, check_.data);
        json(command, check_.json);
        command->add_option("--address", check_.address,
                            "HOST:PORT to reach it by; default: its name and its port");
    }

    InitOptions init_;
    RunOptions run_;
    InviteOptions invite_;
    UserOptions user_;
    BackupOptions backup_;
    RestoreOptions restore_;
    CheckOptions check_;
    std::vector<std::pair<CLI::App*, std::function<Outcome<void>()>>> actions_;
};

int serve(int argc, char** argv) {
    CLI::App app{
        "The key server of Sotto: it keeps accounts, hands out prekeys and passes sealed envelopes on."};
    app.set_version_flag("--version", SOTTO_VERSION);
    app.require_subcommand(1);
    std::optional<std::string> log_level;
    app.add_option("--log-level", log_level,
                   "What goes to standard error: debug, info, warn, error or off; default: as configured")
        ->check(CLI::IsMember(std::vector<std::string>{log_levels().begin(), log_levels().end()}));
    app.fallthrough();
    Commands commands{app};
    try {
        app.parse(argc, argv);
    } catch (const CLI::CallForHelp& error) {
        return app.exit(error);
    } catch (const CLI::CallForVersion& error) {
        return app.exit(error);
    } catch (const CLI::ParseError& error) {
        std::cerr << "sotto-keyserver: " << error.what() << " (see sotto-keyserver --help)\n";
        return static_cast<int>(Exit::input);
    }
    set_up_log(log_level.value_or("info"), LogFormat::text);
    commands.set_log_level(log_level);
    return finish(commands.carry_out());
}

}  // namespace
}  // namespace sotto::keyserver

int main(int argc, char** argv) {
    sotto::keyserver::wipe_what_is_freed();
    try {
        return sotto::keyserver::serve(argc, argv);
    } catch (const std::exception& error) {
        std::cerr << "sotto-keyserver: this is a bug, please report it: " << error.what() << '\n';
        return static_cast<int>(sotto::keyserver::Exit::bug);
    }
}
