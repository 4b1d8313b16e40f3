// Runs this very program again under Valgrind and reads what it found.
#include <unistd.h>

#include <array>
#include <nlohmann/json.hpp>

#include "declassify.hpp"
#include "embedded.hpp"
#include "groups.hpp"
#include "runner.hpp"
#include "support/process.hpp"

namespace sotto::audit {
namespace {

using nlohmann::json;

std::filesystem::path find_valgrind() {
    const auto* const path = std::getenv("PATH");  // NOLINT(concurrency-mt-unsafe)
    std::string_view rest = path == nullptr ? "" : path;
    while (!rest.empty()) {
        const auto end = rest.find(':');
        const std::filesystem::path file = std::filesystem::path{rest.substr(0, end)} / "valgrind";
        if (::access(file.c_str(), X_OK) == 0) return file;
        rest = end == std::string_view::npos ? "" : rest.substr(end + 1);
    }
    return {};
}

void add_skipped(Report& into, std::string reason) {
    Entry entry;
    entry.group = flow_group;
    entry.check = "All checks of this group";
    entry.outcome = Outcome::skipped;
    entry.source = "Valgrind memcheck, secrets marked undefined";
    entry.detail = std::move(reason);
    into.entries.push_back(std::move(entry));
}

Entry entry_from(const json& found) {
    Entry entry;
    entry.group = flow_group;
    entry.check = found.at("check").get<std::string>();
    const auto outcome = found.at("outcome").get<std::string>();
    entry.outcome = Outcome::failed;
    if (outcome == "passed") entry.outcome = Outcome::passed;
    if (outcome == "skipped") entry.outcome = Outcome::skipped;
    entry.observations = found.at("observations").get<std::uint64_t>();
    entry.source = found.at("source").get<std::string>();
    entry.detail = found.at("detail").get<std::string>();
    entry.milliseconds = found.at("milliseconds").get<std::int64_t>();
    return entry;
}

/// A line of Valgrind's log without the number of the process in front.
std::string words_of(const std::string& line) {
    const auto mark = line.find("== ");
    const auto from = mark == std::string::npos ? mark : line.find_first_not_of(' ', mark + 2);
    return from == std::string::npos ? "" : line.substr(from);
}

/// The first error of Valgrind's log: its words and the places that it names.
std::string first_error(const std::string& log) {
    std::string out;
    int lines = 0;
    for (const auto& line : test::lines_of(log)) {
        const auto words = words_of(line);
        const bool begins = words.starts_with("Conditional jump") ||
                            words.starts_with("Use of uninitialised") || words.starts_with("Syscall param");
        if (out.empty() && !begins) continue;
        if (!out.empty() && !words.starts_with("at ") && !words.starts_with("by ")) break;
        out += (out.empty() ? "" : " ") + words;
        if (++lines == 4) break;
    }
    return out;
}

/// Reasons of the suppressions that were used, with how often.
std::vector<std::string> used_suppressions(const std::string& log) {
    std::vector<std::string> out;
    constexpr std::string_view mark = "used_suppression:";
    for (const auto& line : test::lines_of(log)) {
        const auto at = line.find(mark);
        if (at == std::string::npos) continue;
        const auto from = line.find_first_not_of(' ', at + mark.size());
        const auto file = line.rfind(" /");  // the file that it stands in
        if (from != std::string::npos && file != std::string::npos && file > from)
            out.push_back(line.substr(from, file - from));
    }
    return out;
}

std::string excuse() {
    if (sanitized()) return "built with a sanitizer, which Valgrind can't run";
    if (!knows_valgrind()) return "built without valgrind/memcheck.h: install valgrind and build again";
    if (find_valgrind().empty()) return "valgrind is not installed";
    return {};
}

}  // namespace

std::string valgrind_version() {
    const auto program = find_valgrind();
    if (program.empty()) return {};
    auto finished = test::run({.args = {program.string(), "--version"}});
    while (!finished.output.empty() && finished.output.back() == '\n') finished.output.pop_back();
    return finished.exit.ok() ? finished.output : "";
}

void run_under_valgrind(Fault fault, Report& into) {
    if (const auto reason = excuse(); !reason.empty()) return add_skipped(into, reason);
    const test::TemporaryFolder folder;
    const auto suppressions = folder / "suppressions";
    const auto log = folder / "log";
    test::write_file(suppressions, embedded::suppressions());
    test::Command command;
    command.args = {find_valgrind().string(),
                    "--tool=memcheck",
                    "-v",
                    "--error-limit=no",
                    "--leak-check=no",
                    "--undef-value-errors=yes",
                    "--suppressions=" + suppressions.string(),
                    "--log-file=" + log.string(),
                    std::filesystem::read_symlink("/proc/self/exe").string(),
                    "--only",
                    std::string{flow_group},
                    "--json",
                    "--inside-valgrind"};
    if (fault != Fault::none) {
        command.args.emplace_back("--fault");
        command.args.emplace_back(name(fault));
    }
    const auto finished = test::run(command, std::chrono::minutes{15});
    const auto errors = test::read_file(log);
    const auto first = first_error(errors);
    try {
        const auto report = json::parse(finished.output);
        for (const auto& found : report.at("entries")) {
            auto entry = entry_from(found);
            if (entry.outcome == Outcome::failed && !first.empty())
                entry.detail += ". First of all: " + first;
            into.entries.push_back(std::move(entry));
        }
        if (report.at("entries").size() < flow_checks().size())
            throw std::runtime_error("checks are missing");
    } catch (const std::exception&) {  // json's own too
        Entry entry;
        entry.group = flow_group;
        entry.check = "All checks of this group";
        entry.outcome = Outcome::failed;
        entry.detail = "the process under Valgrind gave no report: " + finished.errors.substr(0, 300);
        into.entries.push_back(std::move(entry));
    }
    into.notes.emplace_back(
        "Valgrind knows no AVX-512 and hides it from programs: the code that libsodium would choose for it "
        "was not "
        "looked at, that for AVX2 and below was.");
    for (const auto& used : used_suppressions(errors))
        into.notes.push_back("Suppressed under Valgrind (times, reason): " + used);
}

}  // namespace sotto::audit
