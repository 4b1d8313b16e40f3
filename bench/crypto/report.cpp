#include "bench/crypto/report.hpp"

#include <algorithm>
#include <iomanip>
#include <ostream>

namespace sotto::bench {
namespace {

constexpr int name_columns = 68;
constexpr int number_columns = 11;

std::ostream& row(std::ostream& out, const std::string& name) {
    return out << std::left << std::setw(name_columns) << name << std::right << std::fixed;
}

void head(std::ostream& out, const std::string& name, std::initializer_list<const char*> columns) {
    row(out << '\n', name);
    for (const auto* const column : columns) out << std::setw(number_columns) << column;
    out << '\n';
}

std::ostream& number(std::ostream& out, double value) {
    return out << std::setw(number_columns) << std::setprecision(value < 100 ? 2 : 1) << value;
}

}  // namespace

void Report::ReportRuns(const std::vector<Run>& runs) {
    bool repeated = false;
    for (const auto& run : runs) {
        if (run.run_type != Run::RT_Iteration) continue;
        times_[run.run_name.function_name].push_back(run.GetAdjustedCPUTime());
        repeated = run.repetitions > 1;
    }
    if (!repeated) ConsoleReporter::ReportRuns(runs);
}

std::optional<double> Report::median(const std::string& name) const {
    const auto found = times_.find(name);
    if (found == times_.end()) return std::nullopt;
    auto sorted = found->second;
    std::ranges::sort(sorted);
    const auto middle = sorted.size() / 2;
    return sorted.size() % 2 == 1 ? sorted.at(middle) : (sorted.at(middle - 1) + sorted.at(middle)) / 2;
}

void Report::print(const Jobs& jobs, std::ostream& out) const {
    head(out, "CPU time, medians, us", {"ours", "bare", "ratio", "target"});
    for (const auto& job : jobs.all()) {
        const auto ours = median(job.name + "/ours");
        const auto bare = median(job.name + "/bare");
        if (!ours && !bare) continue;
        row(out, job.name);
        number(out, ours.value_or(0));
        number(out, bare.value_or(0));
        if (ours && bare)
            number(out, *ours / *bare);
        else
            out << std::setw(number_columns) << '-';
        if (job.target_us) number(out, *job.target_us) << (ours && *ours > *job.target_us ? "  missed" : "");
        out << "\n    bare: " << job.calls << '\n';
    }
    head(out, "libsodium's calls, medians, us", {"bare"});
    for (const auto& name : jobs.calls()) {
        if (const auto time = median("libsodium/" + name)) number(row(out, name), *time) << '\n';
    }
    head(out, "bytes", {"ours", "target"});
    for (const auto& size : jobs.sizes()) {
        row(out, size.what) << std::setw(number_columns) << size.bytes;
        if (size.target)
            out << std::setw(number_columns) << *size.target << (size.bytes > *size.target ? "  missed" : "");
        out << '\n';
    }
}

}  // namespace sotto::bench
