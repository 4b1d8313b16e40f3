// The report as a table for a terminal.
#include <algorithm>
#include <array>

#include "report.hpp"

namespace sotto::audit {
namespace {

/// Columns that a text takes, every character of UTF-8 being one.
std::size_t width(std::string_view text) {
    return static_cast<std::size_t>(
        std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; }));
}

std::string padded(std::string_view text, std::size_t columns) {
    std::string out{text};
    const auto has = width(text);
    if (has < columns) out.append(columns - has, ' ');
    return out;
}

std::string right(std::uint64_t number, std::size_t columns) {
    auto digits = std::to_string(number);
    for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, ",");
    return std::string(columns > digits.size() ? columns - digits.size() : 0, ' ') + digits;
}

void add_entry(const Entry& entry, std::string& out) {
    constexpr std::size_t check_columns = 88;
    out += "  " + padded(entry.check, check_columns);
    out += right(entry.outcome == Outcome::skipped ? 0 : entry.observations, 11);
    out += "  " + padded(entry.outcome == Outcome::failed ? "FAILED" : name(entry.outcome), 8) +
           entry.source + "\n";
    if (!entry.detail.empty()) out += "      " + entry.detail + "\n";
}

}  // namespace

std::string as_table(const Report& report) {
    std::string out;
    for (const auto& version : report.versions) out += padded(version.part, 12) + version.version + "\n";
    for (const auto& group : report.groups()) {
        out += "\n" + padded(group, 90) + "      looked  outcome  source\n";
        for (const auto& entry : report.entries)
            if (entry.group == group) add_entry(entry, out);
    }
    out += "\n" + padded("group", 16) + "    passed    failed   skipped\n";
    for (const auto& group : report.groups())
        out += padded(group, 16) + right(report.count(group, Outcome::passed), 10) +
               right(report.count(group, Outcome::failed), 10) +
               right(report.count(group, Outcome::skipped), 10) + "\n";
    for (const auto& file : report.files) {
        if (out.find("vectors of files") == std::string::npos)
            out += "\n" + padded("vectors of files", 44) + "     valid  acceptable   invalid\n";
        out += padded(file.file, 44);
        if (file.run)
            out += right(file.valid, 10) + right(file.acceptable, 12) + right(file.invalid, 10) + "\n";
        else
            out += "  skipped: " + file.why + "\n";
    }
    out += "\n";
    for (const auto& note : report.notes) out += "Note: " + note + "\n";
    const auto failed = report.count(Outcome::failed);
    out += std::to_string(report.count(Outcome::passed)) + " checks passed with " +
           right(report.observations(), 0) + " observations, " + std::to_string(failed) + " failed, " +
           std::to_string(report.count(Outcome::skipped)) + " were skipped.\n";
    return out;
}

}  // namespace sotto::audit
