// `sotto`: parses the command line by the table of commands, runs one, and ends with its exit code.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <iostream>
#include <map>

#include "commands.hpp"
#include "log.hpp"
#include "output.hpp"
#include "process.hpp"
#include "sotto/protocol/text.hpp"

namespace sotto::cli {
namespace {

void declare_globals(CLI::App& app, Options& options) {
    app.set_version_flag("--version", "sotto " SOTTO_VERSION);
    app.add_option("--home", options.home,
                   "The profile's folder (default: $SOTTO_HOME, else the XDG data folder)");
    app.add_flag("--json", options.json, "Print data as JSON, one object a line");
    app.add_flag("--verbose", options.verbose, "Say on standard error what happens on the network");
    auto* file =
        app.add_option("--passphrase-file", options.passphrase.file,
                       "A file whose content is the passphrase (one line feed at its end is dropped)");
    app.add_option("--passphrase-fd", options.passphrase.fd, "A descriptor to read the passphrase from")
        ->check(CLI::NonNegativeNumber)
        ->excludes(file);
}

/// Subcommands by their path; "contact add" hangs below "contact".
std::map<const CLI::App*, const Command*> declare_commands(CLI::App& app, Options& options) {
    std::map<const CLI::App*, const Command*> result;
    for (const auto& command : commands()) {
        const auto space = command.path.find(' ');
        auto* parent = &app;
        auto name = command.path;
        if (space != std::string_view::npos) {
            parent = app.get_subcommand(std::string{command.path.substr(0, space)});
            name.remove_prefix(space + 1);
        }
        auto* sub = parent->add_subcommand(std::string{name}, std::string{command.summary});
        sub->footer(std::string{command.details});
        sub->fallthrough();  // the options of every verb may stand behind it, too
        if (command.run == nullptr) sub->require_subcommand(1);
        command.declare(*sub, options);
        result[sub] = &command;
    }
    app.require_subcommand(1);
    return result;
}

const CLI::App* chosen(const CLI::App& app) {
    const auto* last = &app;
    while (!last->get_subcommands().empty()) last = last->get_subcommands().front();
    return last;
}

int fail(const Error& error) {
    if (!error.sentence.empty()) say_error(error.sentence);
    return static_cast<int>(error.exit);
}

int run(int argc, char** argv) {
    Options options;
    CLI::App app{"Secure end-to-end encrypted messages.", "sotto"};
    app.footer(
        "`sotto VERB --help` tells more of a verb. Exit codes: 0 done, 1 your input, 2 a bug, 3 network or "
        "server,\n"
        "4 untrusted or changed key, 5 rate limit.");
    declare_globals(app, options);
    const auto verbs = declare_commands(app, options);
    try {
        app.parse(argc, argv);
    } catch (const CLI::Success& wanted) {
        app.exit(wanted, std::cout, std::cerr);
        const auto flushed = flush_output();
        return flushed ? 0 : fail(flushed.error());
    } catch (const CLI::ParseError& error) {
        // What was typed is echoed in the reason.
        const auto reason = protocol::printable(error.what());
        return fail({.exit = Exit::input,
                     .sentence = reason + (reason.ends_with('.') ? "" : ".") +
                                 " See `sotto --help` or `sotto VERB --help`."});
    }
    if (options.home.empty()) {
        auto home = default_home();
        if (!home) return fail(home.error());
        options.home = std::move(*home);
    }
    start_log(options.verbose);
    const auto outcome = verbs.at(chosen(app))->run(options);
    const auto flushed = flush_output();
    if (!outcome) return fail(outcome.error());
    return flushed ? 0 : fail(flushed.error());
}

}  // namespace
}  // namespace sotto::cli

int main(int argc, char** argv) {
    const auto say = [](const char* text) { static_cast<void>(std::fputs(text, stderr)); };
    try {
        sotto::cli::harden_process();
        return sotto::cli::run(argc, argv);
    } catch (const std::bad_alloc&) {
        say("sotto: There is not enough memory; close other programs and try again.\n");
        return static_cast<int>(sotto::client::Exit::input);
    } catch (const std::exception& error) {
        say("sotto: This is a bug in Sotto, please report it: ");
        say(error.what());
        say(".\n");
        return static_cast<int>(sotto::client::Exit::bug);
    }
}
