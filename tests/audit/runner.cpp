#include "runner.hpp"

#include <algorithm>

#include "declassify.hpp"
#include "groups.hpp"

namespace sotto::audit {
namespace {

bool wanted(const RunOptions& options, std::string_view group) {
    return options.only.empty() || std::ranges::find(options.only, group) != options.only.end();
}

void run_group(const Group& group, const RunOptions& options, Report& into) {
    if (group.name == flow_group && !options.inside_valgrind) {
        run_under_valgrind(Fault::none, into);
        return;
    }
    for (const auto& check : group.checks) {
        auto entries = run(group.name, check, into);
        into.entries.insert(into.entries.end(), entries.begin(), entries.end());
    }
}

/// Attack 24 is group constant-flow: what that found stands there too.
void resolve_timing(Report& report) {
    const auto timing = std::ranges::find(report.entries, 24, &Entry::attack);
    const auto ran = report.count(flow_group, Outcome::passed) + report.count(flow_group, Outcome::failed);
    if (timing == report.entries.end() || ran == 0) return;
    timing->outcome = report.count(flow_group, Outcome::failed) > 0 ? Outcome::failed : Outcome::passed;
    timing->detail = "as group constant-flow found";
    timing->observations = 0;
    for (const auto& entry : report.entries)
        if (entry.group == flow_group) timing->observations += entry.observations;
}

}  // namespace

bool sanitized() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    return true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
    return true;
#else
    return false;
#endif
#else
    return false;
#endif
}

std::size_t Report::count(Outcome outcome) const {
    return static_cast<std::size_t>(std::ranges::count(entries, outcome, &Entry::outcome));
}

std::size_t Report::count(std::string_view group, Outcome outcome) const {
    return static_cast<std::size_t>(std::ranges::count_if(
        entries, [&](const Entry& entry) { return entry.group == group && entry.outcome == outcome; }));
}

std::uint64_t Report::observations() const {
    std::uint64_t sum = 0;
    for (const auto& entry : entries) sum += entry.attack == 24 ? 0 : entry.observations;
    return sum;
}

std::vector<std::string> Report::groups() const {
    std::vector<std::string> out;
    for (const auto& entry : entries)
        if (std::ranges::find(out, entry.group) == out.end()) out.push_back(entry.group);
    return out;
}

Report run_audit(const RunOptions& options) {
    Report report;
    if (!options.inside_valgrind) report.versions = versions();
    for (const auto& group : all_groups()) {
        if (!wanted(options, group.name)) continue;
        run_group(group, options, report);
        if (group.name == "primitives") {
            auto files = options.vectors;
            files.xwing.clear();
            run_vectors(files, report);
        }
        if (group.name == "kem") {
            auto file = options.vectors;
            file.wycheproof.clear();
            run_vectors(file, report);
        }
    }
    resolve_timing(report);
    return report;
}

}  // namespace sotto::audit
