#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <exception>
#include <iostream>

#include "keyserver/app/commands.hpp"
#include "keyserver/app/config.hpp"

namespace sotto::keyserver {
namespace {

constexpr const char* version = SOTTO_VERSION;

int finish(const Outcome<void>& outcome) {
    if (outcome) return static_cast<int>(Exit::done);
    std::cerr << "sotto-keyserver: " << outcome.error().sentence << '\n';
    return static_cast<int>(outcome.error().exit);
}

int serve(int argc, char** argv) {
    CLI::App app{
        "The key server of Sotto: it keeps accounts, hands out prekeys and passes sealed envelopes on."};
    app.set_version_flag("--version", version);
    app.require_subcommand(1);
    std::string log_level = "info";
    app.add_option("--log-level", log_level, "What goes to standard error")
        ->check(CLI::IsMember({"debug", "info", "warn", "error", "off"}))
        ->capture_default_str();
    app.fallthrough();

    InitOptions init_options;
    init_options.listen = default_listen;
    auto* const init_command =
        app.add_subcommand("init", "Set up a folder for a new server and print its address");
    init_command->add_option("--data", init_options.data, "A new folder for everything the server keeps")
        ->required();
    init_command->add_option("--listen", init_options.listen, "Address and port to listen on")
        ->capture_default_str();
    init_command->add_option("--name", init_options.name,
                             "The server's name, for ever; default: the host of --listen");
    init_command->add_option("--registration", init_options.registration, "open, invite or closed")
        ->capture_default_str();
    init_command->add_option("--cert", init_options.certificate,
                             "A certificate in PEM form; default: one of its own");
    init_command->add_option("--key", init_options.key, "The certificate's private key in PEM form");

    RunOptions run_options;
    auto* const run_command = app.add_subcommand("run", "Serve in the foreground until SIGTERM or SIGINT");
    run_command->add_option("--data", run_options.data, "The server's folder")->required();
    run_command->add_option("--listen", run_options.listen,
                            "Address and port instead of the configured ones");

    InviteOptions invite_options;
    auto* const invite_command =
        app.add_subcommand("invite", "Print an invite that lets one person register");
    invite_command->add_option("--data", invite_options.data, "The server's folder")->required();
    invite_command->add_option("--expires", invite_options.days, "Days until it expires")
        ->check(CLI::Range(1, 3650))
        ->capture_default_str();

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
    spdlog::set_default_logger(spdlog::stderr_logger_mt("sotto-keyserver"));
    spdlog::set_level(spdlog::level::from_str(log_level));
    if (init_command->parsed()) return finish(init(init_options));
    if (run_command->parsed()) return finish(run(run_options));
    return finish(invite(invite_options));
}

}  // namespace
}  // namespace sotto::keyserver

int main(int argc, char** argv) {
    try {
        return sotto::keyserver::serve(argc, argv);
    } catch (const std::exception& error) {
        std::cerr << "sotto-keyserver: this is a bug, please report it: " << error.what() << '\n';
        return static_cast<int>(sotto::keyserver::Exit::bug);
    }
}
