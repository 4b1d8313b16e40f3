// What Prometheus reads, held against its text format.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "keyserver/metrics/collect.hpp"
#include "support/process.hpp"

namespace sotto::keyserver::test {
namespace {

using sotto::test::lines_of;

class MetricsText : public testing::Test {
  protected:
    [[nodiscard]] std::vector<std::string> lines() const {
        return lines_of(metrics_text(counters, store, net, {.connections = 3, .ready = true}, "1.2.3"));
    }
    [[nodiscard]] static bool has(const std::vector<std::string>& lines, const std::string& wanted) {
        return std::ranges::find(lines, wanted) != lines.end();
    }
    Counters counters;
    Counters store;
    NetCounters net;
};

TEST_F(MetricsText, HasEveryCountAndGaugeWithItsLabels) {
    counters.add(Count::stored, 5);
    net.overflowed = 1;
    net.late.at(static_cast<std::size_t>(Late::login)) = 7;
    net.accepted = 9;
    const auto text = lines();
    EXPECT_TRUE(has(text, "sotto_connections 3"));
    EXPECT_TRUE(has(text, "sotto_ready 1"));
    EXPECT_TRUE(has(text, "sotto_build_info{version=\"1.2.3\"} 1"));
    EXPECT_TRUE(has(text, "sotto_deliveries_total{outcome=\"stored\"} 5"));
    EXPECT_TRUE(has(text, "sotto_deliveries_total{outcome=\"delivered\"} 0"));
    EXPECT_TRUE(has(text, "sotto_limit_hits_total{limit=\"outbound\"} 1"));
    EXPECT_TRUE(has(text, "sotto_limit_hits_total{limit=\"login_time\"} 7"));
    EXPECT_TRUE(has(text, "sotto_connections_total{outcome=\"accepted\"} 9"));
    for (const auto& name : count_names) {
        const auto begin = std::string{name.family} + (name.label.empty() ? " " : "{");
        EXPECT_TRUE(std::ranges::any_of(text, [&](const auto& line) { return line.starts_with(begin); }))
            << name.family;
    }
}

TEST_F(MetricsText, SaysTheTypeOfEveryFamilyOnceAndBeforeIt) {
    std::vector<std::string> families;
    for (const auto& line : lines()) {
        if (!line.starts_with("# TYPE ")) continue;
        const auto name = line.substr(7, line.find(' ', 7) - 7);
        EXPECT_EQ(std::ranges::count(families, name), 0) << name;
        families.push_back(name);
    }
    EXPECT_GT(families.size(), 15U);
}

TEST_F(MetricsText, HistogramsRiseToTheirCountAndInfinity) {
    for (const std::uint64_t us : {10U, 33U, 5000U, 90'000'000U}) store.took(Latency::commit, us);
    counters.took(Latency::commit, 1);  // not the store's
    const auto text = lines();
    EXPECT_TRUE(has(text, "sotto_store_commit_seconds_count 4"));
    EXPECT_TRUE(has(text, "sotto_store_commit_seconds_bucket{le=\"+Inf\"} 4"));
    EXPECT_TRUE(has(text, "sotto_store_commit_seconds_bucket{le=\"3.2e-05\"} 1") ||
                has(text, "sotto_store_commit_seconds_bucket{le=\"0.000032\"} 1") ||
                has(text, "sotto_store_commit_seconds_bucket{le=\"3.1999999999999999e-05\"} 1"));
    std::uint64_t last = 0;
    int buckets = 0;
    for (const auto& line : text) {
        if (!line.starts_with("sotto_store_commit_seconds_bucket")) continue;
        const auto value = std::stoull(line.substr(line.rfind(' ') + 1));
        EXPECT_GE(value, last) << line;
        last = value;
        ++buckets;
    }
    EXPECT_EQ(buckets, static_cast<int>(Counters::buckets));
}

TEST_F(MetricsText, HasEverythingThatTheDashboardShows) {
    const auto text = "\n" + metrics_text(counters, store, net, {}, "1");
    const auto dashboard = sotto::test::read_file(SOTTO_DASHBOARD);
    std::set<std::string> shown;
    for (std::size_t at = 0; (at = dashboard.find("sotto_", at)) != std::string::npos;) {
        const auto end = dashboard.find_first_not_of("abcdefghijklmnopqrstuvwxyz_", at);
        shown.insert(dashboard.substr(at, end - at));
        at = end;
    }
    EXPECT_GT(shown.size(), 15U);
    for (const auto& name : shown)
        EXPECT_TRUE(text.find("\n" + name + " ") != std::string::npos ||
                    text.find("\n" + name + "{") != std::string::npos)
            << name;
}

}  // namespace
}  // namespace sotto::keyserver::test
