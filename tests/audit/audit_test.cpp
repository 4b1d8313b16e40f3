// The audit's own machinery: what counts as failed, and what it says.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "claims.hpp"
#include "embedded.hpp"
#include "groups.hpp"
#include "image.hpp"
#include "runner.hpp"
#include "sotto/crypto/random.hpp"
#include "support/process.hpp"

namespace sotto::audit {
namespace {

Entry outcome_of(void (*work)(Check&)) {
    Report report;
    return run("group", {"a check", "a source", work}, report).front();
}

TEST(AuditCheck, PassesWhenEverythingWasAsExpected) {
    const auto entry = outcome_of([](Check& check) {
        check.expect(true, "one");
        check.expect(true, "two");
    });
    EXPECT_EQ(entry.outcome, Outcome::passed);
    EXPECT_EQ(entry.observations, 2U);
}

TEST(AuditCheck, FailsOnOneWrongObservationAndNamesTheFirst) {
    const auto entry = outcome_of([](Check& check) {
        check.expect(true, "one");
        check.expect(false, "two");
        check.expect(false, "three");
        check.expect(true, "four");
    });
    EXPECT_EQ(entry.outcome, Outcome::failed);
    EXPECT_EQ(entry.detail, "two (and 1 more)");
}

TEST(AuditCheck, FailsWithoutAnyObservation) {
    EXPECT_EQ(outcome_of([](Check&) {}).outcome, Outcome::failed);
}

TEST(AuditCheck, FailsWhenSomethingIsThrown) {
    const auto entry = outcome_of([](Check& check) {
        check.expect(true, "one");
        throw std::runtime_error("a surprise");
    });
    EXPECT_EQ(entry.outcome, Outcome::failed);
    EXPECT_EQ(entry.detail, "a surprise");
}

TEST(AuditCheck, ASkipNeverHidesAFailure) {
    EXPECT_EQ(outcome_of([](Check&) { Check::skip("no reason"); }).outcome, Outcome::skipped);
    const auto entry = outcome_of([](Check& check) {
        check.expect(false, "wrong");
        Check::skip("no reason");
    });
    EXPECT_EQ(entry.outcome, Outcome::failed);
}

TEST(AuditCheck, PartsThatAreMissingAreEntriesOfTheirOwn) {
    Report report;
    const auto entries = run("group",
                             {"7 An attack",
                              "a source",
                              [](Check& check) {
                                  check.expect(true, "one");
                                  check.not_yet("a part", "a reason");
                              },
                              {},
                              7},
                             report);
    ASSERT_EQ(entries.size(), 2U);
    EXPECT_EQ(entries[0].outcome, Outcome::passed);
    EXPECT_EQ(entries[1].outcome, Outcome::skipped);
    EXPECT_EQ(entries[1].check, "7 (in part) a part");
    EXPECT_EQ(entries[1].detail, "a reason");
}

TEST(AuditCheck, AnAlteredVectorIsAnotherOne) {
    Check whole;
    Check altered{1};
    for (int i = 0; i < 3; ++i)
        EXPECT_EQ(whole.vector("00 11 22") == altered.vector("00 11 22"), i != 1) << i;
    EXPECT_EQ(whole.vectors(), 3U);
}

TEST(AuditGroups, EveryAttackThatNeedsNoNetworkHasOneEntry) {
    std::set<int> numbers;
    for (const auto& check : attack_checks()) {
        EXPECT_TRUE(numbers.insert(check.attack).second) << check.name;
        EXPECT_TRUE(check.name.starts_with(std::to_string(check.attack) + " ")) << check.name;
    }
    for (int number = 1; number <= 24; ++number) EXPECT_TRUE(numbers.contains(number)) << number;
    for (int number = 35; number <= 37; ++number) EXPECT_TRUE(numbers.contains(number)) << number;
    EXPECT_EQ(numbers.size(), 27U);
}

TEST(AuditGroups, TheirEvidenceStandsInTheThreatModel) {
    for (const auto& group : all_groups()) {
        for (const auto& check : group.checks) {
            Report report;
            Definition definition = check;
            definition.run = [](Check& c) { c.expect(true, "only its names"); };
            const auto entries = run(group.name, definition, report);
            for (const auto& name : entries.front().evidence)
                EXPECT_NE(embedded::threat_model().find("`" + name + "`"), std::string_view::npos)
                    << check.name << " names " << name;
        }
    }
}

TEST(AuditClaims, EveryCannotOfTheThreatModelIsOneWithItsTests) {
    const auto all = claims();
    EXPECT_GE(all.size(), 30U);
    std::set<std::string> named;
    for (const auto& claim : all) {
        EXPECT_FALSE(claim.adversary.empty());
        EXPECT_FALSE(claim.tests.empty()) << claim.text;
        EXPECT_EQ(claim.text.find('`'), std::string::npos) << claim.text;
        EXPECT_EQ(claim.text.find("**"), std::string::npos) << claim.text;
        EXPECT_NE(claim.text.find("can"), std::string::npos) << claim.text;
        named.insert(claim.tests.begin(), claim.tests.end());
    }
    EXPECT_TRUE(named.contains("Envelope.EveryChangedByteIsRefused"));
    EXPECT_TRUE(named.contains("DamageTest.IsFoundInEveryPage"));
    EXPECT_TRUE(named.contains("Handshake.NobodyPosesAsAliceWithoutHerIdentityKey"));
    // A weakness that is admitted is no claim.
    EXPECT_FALSE(named.contains("Handshake.WorksWithoutOneTimeKeysAndSaysSo"));
}

TEST(AuditReport, JsonSaysWhatTheReportHolds) {
    RunOptions options;
    options.only = {"primitives", "kem"};
    const auto report = run_audit(options);
    EXPECT_EQ(report.count(Outcome::failed), 0U);
    const auto json = nlohmann::json::parse(as_json(report));
    EXPECT_EQ(json.at("passed").get<std::size_t>(), report.count(Outcome::passed));
    EXPECT_EQ(json.at("skipped").get<std::size_t>(), report.count(Outcome::skipped));
    ASSERT_EQ(json.at("entries").size(), report.entries.size());
    for (std::size_t i = 0; i < report.entries.size(); ++i) {
        EXPECT_EQ(json.at("entries").at(i).at("check"), report.entries[i].check);
        EXPECT_EQ(json.at("entries").at(i).at("outcome"), name(report.entries[i].outcome));
        EXPECT_GT(json.at("entries").at(i).at("observations").get<std::uint64_t>(), 0U);
    }
    EXPECT_TRUE(json.at("versions").at("libsodium").get<std::string>().starts_with("1."));
    EXPECT_EQ(json.at("claims").size(), claims().size());
    const auto table = as_table(report);
    for (const auto& entry : report.entries) EXPECT_NE(table.find(entry.check), std::string::npos);
}

TEST(AuditReport, AGroupThatIsSkippedIsNotPassed) {
    Report report;
    Entry entry;
    entry.group = flow_group;
    entry.check = "all";
    entry.outcome = Outcome::skipped;
    entry.detail = "valgrind is not installed";
    report.entries.push_back(entry);
    EXPECT_EQ(report.count(Outcome::passed), 0U);
    EXPECT_NE(as_table(report).find("valgrind is not installed"), std::string::npos);
    EXPECT_NE(as_html(report).find("Nothing was checked"), std::string::npos);
}

TEST(AuditNeedles, AreFoundInFilesAndNotInOthers) {
    const test::TemporaryFolder folder;
    crypto::SystemRng rng;
    const auto secret = rng.bytes<32>();
    Needles needles;
    needles.add("secret", secret);
    test::write_file(folder / "other", "nothing that anybody looks for, but long enough");
    EXPECT_EQ(needles.count_in_files(folder.path()), 0U);
    test::write_file(folder / "careless", "x" + std::string{chars_of(secret)} + "y");
    EXPECT_EQ(needles.count_in_files(folder.path()), 2U);
    EXPECT_NE(needles.found().find("careless"), std::string::npos);
}

}  // namespace
}  // namespace sotto::audit
