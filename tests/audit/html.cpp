// The report as one page that needs nothing from anywhere else.
#include <algorithm>

#include "claims.hpp"
#include "embedded.hpp"
#include "groups.hpp"
#include "page.hpp"

namespace sotto::audit {
namespace page {

std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        switch (c) {
            case '&':
                out += "&amp;";
                break;
            case '<':
                out += "&lt;";
                break;
            case '>':
                out += "&gt;";
                break;
            case '"':
                out += "&quot;";
                break;
            default:
                out += c;
        }
    }
    return out;
}

std::string grouped(std::uint64_t number) {
    auto digits = std::to_string(number);
    for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, ",");
    return digits;
}

std::string badge(Outcome outcome) {
    const std::string word{name(outcome)};
    return R"(<span class="badge )" + word + "\">" + word + "</span>";
}

}  // namespace page

namespace {

using page::badge;
using page::escaped;
using page::grouped;

std::string verdict(const Report& report) {
    const auto failed = report.count(Outcome::failed);
    const auto passed = report.count(Outcome::passed);
    const auto skipped = report.count(Outcome::skipped);
    std::string words = "Nothing failed";
    std::string kind = "passed";
    if (failed > 0) {
        words = grouped(failed) + (failed == 1 ? " check failed" : " checks failed");
        kind = "failed";
    } else if (passed == 0) {
        words = "Nothing was checked";
        kind = "skipped";
    }
    std::string out =
        "<header>\n<p class=\"name\">Sotto audit</p>\n<h1 class=\"" + kind + "\">" + words + "</h1>\n";
    out += "<p class=\"lead\">" + grouped(passed) + " checks passed, " + grouped(report.observations()) +
           " observations in all. " + grouped(skipped) +
           " checks or parts of checks were skipped, each with its reason below: skipped is not "
           "passed.</p>\n<dl>\n";
    for (const auto& version : report.versions)
        out += "<div><dt>" + escaped(version.part) + "</dt><dd>" + escaped(version.version) + "</dd></div>\n";
    return out + "</dl>\n</header>\n";
}

std::string figure(const std::string& drawing, std::string_view title, std::string_view caption) {
    if (drawing.empty()) return {};
    return "<figure>\n<h3>" + std::string{title} + "</h3>\n" + drawing + "<figcaption>" +
           std::string{caption} + "</figcaption>\n</figure>\n";
}

std::string figures(const Report& report) {
    std::string out = "<section class=\"figures\">\n";
    out +=
        figure(page::groups_figure(report), "Checks by group", "One square is one check, or a part of one.");
    out += figure(page::attacks_figure(report), "Attacks, by their number",
                  "Those that need no network. A notch marks an attack of which a part could not be tried.");
    out += figure(page::files_figure(report), "Vectors from outside",
                  "Counts by what the file says of each vector; every one was run.");
    out += figure(page::sizes_figure(report), "What a length shows on the wire",
                  "Size of the envelope against the length of its content, both in bytes, as measured.");
    out += figure(
        page::bytes_figure(report), "Bytes of a store",
        "How often each of the 256 values stands in the database file; the line is what chance gives.");
    return out + "</section>\n";
}

std::string claim_row(const Claim& claim, const Report& report) {
    std::string out = "<li>\n<p>" + escaped(claim.text) + "</p>\n<div>\n";
    const auto seen = evidence_for(claim, report);
    for (const auto* const entry : seen)
        out += "<p class=\"seen\">" + badge(entry->outcome) + " <a href=\"#" + escaped(entry->group) + "\">" +
               escaped(entry->group) + "</a>: " + escaped(entry->check) + "</p>\n";
    if (seen.empty())
        out +=
            "<p class=\"seen elsewhere\">Not seen here: shown by the project's test suite, on the "
            "programs.</p>\n";
    out += "<p class=\"tests\">";
    for (const auto& test : claim.tests) out += "<code>" + escaped(test) + "</code> ";
    return out + "</p>\n</div>\n</li>\n";
}

std::string claims_section(const Report& report) {
    const auto all = claims();
    const auto seen =
        std::ranges::count_if(all, [&](const Claim& claim) { return !evidence_for(claim, report).empty(); });
    std::string out =
        "<section>\n<h2>The threat model's claims</h2>\n<p>" + std::to_string(all.size()) +
        " things that an adversary cannot do; " + std::to_string(seen) +
        " of them were tried in this run. Beneath each stand the tests of the project's own suite "
        "that attack it.</p>\n";
    std::string adversary;
    for (const auto& claim : all) {
        if (claim.adversary != adversary) {
            if (!adversary.empty()) out += "</ul>\n</details>\n";
            adversary = claim.adversary;
            out += "<details open=\"open\">\n<summary>" + escaped(adversary) +
                   "</summary>\n<ul class=\"claims\">\n";
        }
        out += claim_row(claim, report);
    }
    return out + (adversary.empty() ? "" : "</ul>\n</details>\n") + "</section>\n";
}

std::string entry_row(const Entry& entry) {
    std::string out = "<tr class=\"" + std::string{name(entry.outcome)} + "\">\n<td><span>" +
                      escaped(entry.check) + "</span>";
    if (!entry.detail.empty()) out += "<small>" + escaped(entry.detail) + "</small>";
    out += "</td>\n<td class=\"number\" data-name=\"looked\">" +
           (entry.outcome == Outcome::skipped ? "" : grouped(entry.observations)) + "</td>\n<td>" +
           badge(entry.outcome) + "</td>\n<td class=\"source\">" + escaped(entry.source) + "</td>\n</tr>\n";
    return out;
}

std::string groups_section(const Report& report) {
    std::string out = "<section>\n<h2>Every check</h2>\n";
    for (const auto& group : report.groups()) {
        const auto* const known = group_called(group);
        out += "<h3 id=\"" + escaped(group) + "\">" + escaped(group) + "</h3>\n<p>" +
               escaped(known == nullptr ? "" : known->purpose) +
               "</p>\n<table>\n<thead><tr><th>check</th><th class=\"number\">looked</th><th>outcome</th>"
               "<th>source</th></tr></thead>\n<tbody>\n";
        for (const auto& entry : report.entries)
            if (entry.group == group) out += entry_row(entry);
        out += "</tbody>\n</table>\n";
    }
    return out + "</section>\n";
}

std::string files_section(const Report& report) {
    if (report.files.empty()) return {};
    std::string out =
        "<section>\n<h2>Files of vectors</h2>\n<table>\n<thead><tr><th>file</th><th "
        "class=\"number\">valid</th>"
        "<th class=\"number\">acceptable</th><th class=\"number\">invalid</th></tr></thead>\n<tbody>\n";
    for (const auto& file : report.files) {
        out += "<tr>\n<td><span>" + escaped(file.file) + "</span>";
        const auto why = file.run ? file.why : "skipped: " + file.why;
        if (!why.empty()) out += "<small>" + escaped(why) + "</small>";
        out += "</td>\n<td class=\"number\" data-name=\"valid\">" + grouped(file.valid) +
               "</td>\n<td class=\"number\" data-name=\"acceptable\">" + grouped(file.acceptable) +
               "</td>\n<td class=\"number\" data-name=\"invalid\">" + grouped(file.invalid) +
               "</td>\n</tr>\n";
    }
    return out + "</tbody>\n</table>\n</section>\n";
}

std::string notes_section(const Report& report) {
    std::string out = "<section>\n<h2>Read this with it</h2>\n<ul>\n";
    for (const auto& note : report.notes) out += "<li>" + escaped(note) + "</li>\n";
    out +=
        "<li>A check that passes has not been seen to fail; it proves no absence. "
        "<code>sotto-audit --self-test</code> breaks things on purpose and shows that each group can "
        "fail.</li>\n";
    return out + "</ul>\n</section>\n";
}

}  // namespace

std::string as_html(const Report& report) {
    std::string out =
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
        "<meta name=\"color-scheme\" content=\"light dark\"/>\n<title>Sotto audit</title>\n<style>\n";
    out += embedded::style();
    out += "</style>\n</head>\n<body>\n<main>\n";
    out += verdict(report) + figures(report) + claims_section(report) + groups_section(report) +
           files_section(report) + notes_section(report);
    return out + "</main>\n</body>\n</html>\n";
}

}  // namespace sotto::audit
