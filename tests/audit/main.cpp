// sotto-audit: the claims of threat-model.md, checked by whoever wants to. docs/audit.md.
//
// Exit status: 0 if nothing failed, 1 for a wrong call, 2 if something failed.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>
#include <iostream>

#include "bare.hpp"
#include "groups.hpp"
#include "runner.hpp"

namespace {

using namespace sotto::audit;  // NOLINT(google-build-using-namespace)

constexpr int done = 0;
constexpr int wrong_call = 1;
constexpr int something_failed = 2;

struct Arguments {
    RunOptions run;
    bool json = false;
    bool list = false;
    bool self_test = false;
    std::string html;
    std::string wycheproof;
    std::string xwing;
    std::string fault;
};

void describe(CLI::App& app, Arguments& arguments) {
    std::vector<std::string> names;
    for (const auto& group : all_groups()) names.emplace_back(group.name);
    app.add_flag("--json", arguments.json, "Print the report as one JSON document");
    app.add_option("--html", arguments.html, "Write the report as one page to this file")->type_name("FILE");
    app.add_option("--only", arguments.run.only, "Run this group; may be given several times")
        ->type_name("GROUP")
        ->check(CLI::IsMember(names))
        ->take_all();
    app.add_option("--wycheproof", arguments.wycheproof, "Run the Wycheproof files of this folder as well")
        ->type_name("DIR")
        ->check(CLI::ExistingDirectory);
    app.add_option("--xwing", arguments.xwing, "Run the X-Wing draft's vectors in this file as well")
        ->type_name("FILE")
        ->check(CLI::ExistingFile);
    app.add_flag("--any-version", arguments.run.vectors.any_version,
                 "Take files of vectors that are not the known copies");
    app.add_flag("--self-test", arguments.self_test, "Break things on purpose: every group has to notice");
    app.add_flag("--list", arguments.list, "Show the groups and their checks");
    app.add_flag("--inside-valgrind", arguments.run.inside_valgrind)->group("");
    app.add_option("--fault", arguments.fault)->group("");
}

int list_checks() {
    for (const auto& group : all_groups()) {
        std::cout << group.name << ": " << group.purpose << "\n";
        for (const auto& check : group.checks) {
            std::cout << "  " << check.name << "\n";
            if (!check.evidence.empty()) std::cout << "      " << check.evidence << "\n";
        }
    }
    return done;
}

bool write_page(const Report& report, const std::string& file) {
    std::ofstream out{file, std::ios::binary | std::ios::trunc};
    out << as_html(report);
    out.close();
    if (out) return true;
    std::cerr << "sotto-audit: " << file << " can't be written; choose another place.\n";
    return false;
}

int audit(Arguments& arguments) {
    arguments.run.vectors.wycheproof = arguments.wycheproof;
    arguments.run.vectors.xwing = arguments.xwing;
    if (arguments.list) return list_checks();
    bare::start();
    if (arguments.self_test) return self_test(arguments.run) ? done : something_failed;
    std::optional<WithFault> broken;
    if (const auto fault = fault_called(arguments.fault)) broken.emplace(*fault);
    const auto report = run_audit(arguments.run);
    if (!arguments.html.empty() && !write_page(report, arguments.html)) return wrong_call;
    std::cout << (arguments.json ? as_json(report) : as_table(report)) << std::flush;
    // Nothing that failed is not enough: something has to have passed or been skipped with a reason.
    return report.count(Outcome::failed) == 0 && !report.entries.empty() ? done : something_failed;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        CLI::App app{
            "Checks what Sotto claims, on this machine, with the very library that the programs use."};
        app.set_version_flag("--version", SOTTO_VERSION);
        Arguments arguments;
        describe(app, arguments);
        try {
            app.parse(argc, argv);
        } catch (const CLI::ParseError& problem) {
            return app.exit(problem) == 0 ? done : wrong_call;
        }
        return audit(arguments);
    } catch (const std::exception& problem) {
        (void)std::fputs("sotto-audit: ", stderr);
        (void)std::fputs(problem.what(), stderr);
        (void)std::fputs("\n", stderr);
        return something_failed;
    }
}
