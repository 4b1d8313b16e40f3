// The page is well-formed and needs nothing from anywhere else.
#include <gtest/gtest.h>

#include <regex>
#include <set>

#include "page.hpp"

namespace sotto::audit {
namespace {

Report some_report() {
    Report report;
    report.versions = {{"libsodium", "1.0.22"}, {"<b>", "\"&\""}};
    int attack = 0;
    for (const auto outcome : {Outcome::passed, Outcome::failed, Outcome::skipped}) {
        Entry entry;
        entry.group = "attacks";
        entry.check = std::to_string(++attack) + " A check with <script>alert(1)</script> & \"quotes\"";
        entry.outcome = outcome;
        entry.observations = 1234567;
        entry.detail = "a < b";
        entry.evidence = {"Envelope.EveryChangedByteIsRefused"};
        entry.attack = attack;
        report.entries.push_back(entry);
    }
    report.files.push_back({"x25519_test.json", "XDH", 264, 254, 0, true, "how acceptable is read"});
    report.files.push_back({"other_test.json", "OTHER", 0, 0, 0, false, "not used here"});
    report.series.push_back({"envelope-sizes", {160, 160, 320, 320, 480}});
    report.series.push_back({"store-bytes", std::vector<double>(256, 3)});
    report.notes = {"a note & more"};
    return report;
}

/// Tags in order; every one that is opened has to be closed by its own name.
void expect_well_formed(const std::string& page) {
    static const std::regex tag{R"(<(/?)([a-zA-Z0-9]+)((?:\s+[a-zA-Z-]+="[^"<]*")*)\s*(/?)>)"};
    std::vector<std::string> open;
    auto at = page.begin() + static_cast<std::ptrdiff_t>(std::string_view{"<!DOCTYPE html>\n"}.size());
    while (true) {
        const auto next = std::find(at, page.end(), '<');
        const std::string_view between{&*at, static_cast<std::size_t>(next - at)};
        const bool words = open.empty() || open.back() != "style";
        EXPECT_TRUE(!words || between.find('>') == std::string_view::npos) << between;
        if (next == page.end()) break;
        std::smatch found;
        ASSERT_TRUE(std::regex_search(next, page.end(), found, tag, std::regex_constants::match_continuous))
            << std::string{next, next + std::min<std::ptrdiff_t>(60, page.end() - next)};
        if (found[1].length() > 0) {
            ASSERT_FALSE(open.empty());
            EXPECT_EQ(open.back(), found[2].str());
            open.pop_back();
        } else if (found[4].length() == 0) {
            open.push_back(found[2].str());
        }
        at = found[0].second;
        if (at == page.end()) break;
    }
    EXPECT_TRUE(open.empty());
}

TEST(AuditPage, IsWellFormed) {
    const auto page = as_html(some_report());
    ASSERT_TRUE(page.starts_with("<!DOCTYPE html>\n<html"));
    expect_well_formed(page);
    expect_well_formed(as_html(Report{}));
}

TEST(AuditPage, ShowsWordsAsTheyAre) {
    const auto page = as_html(some_report());
    EXPECT_EQ(page.find("<script"), std::string::npos);
    EXPECT_NE(page.find("&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;quotes&quot;"), std::string::npos);
}

TEST(AuditPage, NeedsNothingFromElsewhere) {
    const auto page = as_html(some_report());
    for (const std::string_view word :
         {"http:", "https:", "url(", "@import", "src=", "<link", "<script", "//"})
        EXPECT_EQ(page.find(word), std::string::npos) << word;
    for (std::size_t at = page.find("href="); at != std::string::npos; at = page.find("href=", at + 1))
        EXPECT_EQ(page.at(at + 6), '#');
}

TEST(AuditPage, NamesAreUniqueAndLinksLeadToThem) {
    const auto page = as_html(some_report());
    static const std::regex id{R"re(\bid="([^"]*)")re"};
    static const std::regex link{R"re(href="#([^"]*)")re"};
    std::set<std::string> ids;
    for (std::sregex_iterator it{page.begin(), page.end(), id}, end; it != end; ++it)
        EXPECT_TRUE(ids.insert((*it)[1].str()).second) << (*it)[1];
    for (std::sregex_iterator it{page.begin(), page.end(), link}, end; it != end; ++it)
        EXPECT_TRUE(ids.contains((*it)[1].str())) << (*it)[1];
}

TEST(AuditPage, SaysHowManyFailed) {
    auto report = some_report();
    EXPECT_NE(as_html(report).find("1 check failed"), std::string::npos);
    report.entries[1].outcome = Outcome::passed;
    EXPECT_NE(as_html(report).find("Nothing failed"), std::string::npos);
}

TEST(AuditPage, HasLightAndDark) {
    const auto page = as_html(Report{});
    EXPECT_NE(page.find("prefers-color-scheme: dark"), std::string::npos);
    EXPECT_NE(page.find("name=\"viewport\""), std::string::npos);
}

TEST(AuditPage, FiguresAreDrawnFromTheReportAlone) {
    const auto report = some_report();
    EXPECT_FALSE(page::groups_figure(report).empty());
    EXPECT_FALSE(page::attacks_figure(report).empty());
    EXPECT_FALSE(page::files_figure(report).empty());
    EXPECT_FALSE(page::sizes_figure(report).empty());
    EXPECT_FALSE(page::bytes_figure(report).empty());
    EXPECT_TRUE(page::attacks_figure(Report{}).empty());
    EXPECT_TRUE(page::files_figure(Report{}).empty());
    EXPECT_TRUE(page::sizes_figure(Report{}).empty());
    EXPECT_TRUE(page::bytes_figure(Report{}).empty());
}

}  // namespace
}  // namespace sotto::audit
