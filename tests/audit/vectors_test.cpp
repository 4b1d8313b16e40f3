// Vectors from outside: SOTTO_VECTORS names their folder, by default ../shared/vectors beside the source
// tree.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "sotto/crypto/random.hpp"
#include "support/process.hpp"
#include "wycheproof.hpp"

namespace sotto::audit {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

fs::path vectors() {
    const char* const given = std::getenv("SOTTO_VECTORS");  // NOLINT(concurrency-mt-unsafe)
    return given == nullptr ? SOTTO_VECTORS_BESIDE : given;
}

#define NEED_VECTORS()                                                             \
    if (!fs::is_directory(vectors() / "wycheproof"))                               \
    GTEST_SKIP() << "third-party vectors are absent: put Wycheproof's files into " \
                 << vectors() / "wycheproof" << ", or name another folder in SOTTO_VECTORS"

std::vector<fs::path> files() {
    std::vector<fs::path> out;
    for (const auto& entry : fs::directory_iterator{vectors() / "wycheproof"}) out.push_back(entry.path());
    std::ranges::sort(out);
    return out;
}

Report run_on(const fs::path& folder, bool any_version = false) {
    Report report;
    run_vectors({.wycheproof = folder, .xwing = {}, .any_version = any_version, .alter = false}, report);
    return report;
}

/// One letter of one byte string, result or number of some vector.
void alter(json& file, crypto::Rng& rng) {
    auto& groups = file.at("testGroups");
    while (true) {
        auto& tests = groups.at(rng.below(groups.size())).at("tests");
        auto& test = tests.at(rng.below(tests.size()));
        auto field = test.begin();
        std::advance(field, static_cast<std::ptrdiff_t>(rng.below(test.size())));
        if (field.key() == "comment" || field.key() == "flags" || field.key() == "tcId") continue;
        if (field->is_number()) {
            *field = field->get<int>() + 1;
            return;
        }
        auto& text = field->get_ref<std::string&>();
        if (text.empty()) continue;
        if (field.key() == "result") {
            text = text == "valid" ? "invalid" : "valid";
            return;
        }
        auto& letter = text.at(rng.below(text.size()));
        letter = letter == '0' ? '1' : '0';
        return;
    }
}

TEST(AuditVectors, EveryKnownFilePasses) {
    NEED_VECTORS();
    const auto report = run_on(vectors() / "wycheproof");
    EXPECT_EQ(report.count(Outcome::failed), 0U);
    EXPECT_EQ(report.count(Outcome::passed), 11U);
    for (const auto& entry : report.entries)
        EXPECT_EQ(entry.outcome, Outcome::passed) << entry.check << ": " << entry.detail;
    std::uint64_t vectors_run = 0;
    for (const auto& file : report.files) vectors_run += file.valid + file.acceptable + file.invalid;
    EXPECT_EQ(vectors_run, 2384U);
}

TEST(AuditVectors, AnyAlteredVectorFailsItsFile) {
    NEED_VECTORS();
    crypto::SeededRng rng{7};
    for (const auto& file : files()) {
        const auto whole = json::parse(test::read_file(file));
        for (int round = 0; round < 3; ++round) {
            const test::TemporaryFolder folder;
            auto altered = whole;
            alter(altered, rng);
            test::write_file(folder / file.filename().string(), altered.dump());
            EXPECT_EQ(run_on(folder.path()).count(Outcome::failed), 1U)
                << file.filename() << " in round " << round;
        }
    }
}

TEST(AuditVectors, OtherBlanksAreTheSameVectors) {
    NEED_VECTORS();
    const test::TemporaryFolder folder;
    const auto file = vectors() / "wycheproof" / "x25519_test.json";
    test::write_file(folder / "x25519_test.json", json::parse(test::read_file(file)).dump(4));
    EXPECT_EQ(run_on(folder.path()).count(Outcome::passed), 1U);
}

TEST(AuditVectors, AnotherVersionIsTakenOnlyWhenAskedFor) {
    NEED_VECTORS();
    const test::TemporaryFolder folder;
    auto file = json::parse(test::read_file(vectors() / "wycheproof" / "hkdf_sha512_test.json"));
    auto& tests = file.at("testGroups").at(0).at("tests");
    tests.erase(tests.begin());
    file.at("numberOfTests") = file.at("numberOfTests").get<int>() - 1;
    test::write_file(folder / "hkdf_sha512_test.json", file.dump());
    EXPECT_EQ(run_on(folder.path()).count(Outcome::failed), 1U);
    EXPECT_EQ(run_on(folder.path(), true).count(Outcome::passed), 1U);
}

TEST(AuditVectors, UnknownFilesAreSkippedWithTheReasonAndBrokenOnesFail) {
    const test::TemporaryFolder folder;
    test::write_file(
        folder / "aes_test.json",
        R"({"algorithm":"AES-GCM","schema":"aead_test_schema_v1.json","numberOfTests":0,"testGroups":[]})");
    auto report = run_on(folder.path());
    ASSERT_EQ(report.files.size(), 1U);
    EXPECT_FALSE(report.files.front().run);
    EXPECT_NE(report.files.front().why.find("AES-GCM"), std::string::npos);
    EXPECT_EQ(report.count(Outcome::skipped), 1U);
    EXPECT_EQ(report.count(Outcome::failed), 1U) << "a folder in which nothing is run";
    test::write_file(folder / "x25519_test.json", "{\"algorithm\":");
    report = run_on(folder.path());
    EXPECT_GE(report.count(Outcome::failed), 1U);
}

TEST(AuditVectors, XWingsFilePassesAndEveryAlteredFieldFails) {
    const auto file = vectors() / "xwing" / "test-vectors.json";
    if (!fs::exists(file)) GTEST_SKIP() << "third-party vectors are absent: put X-Wing's into " << file;
    const auto outcome = [](const fs::path& path) {
        Report report;
        run_vectors({.wycheproof = {}, .xwing = path, .any_version = false, .alter = false}, report);
        return report.entries.at(0).outcome;
    };
    EXPECT_EQ(outcome(file), Outcome::passed);
    const auto whole = json::parse(test::read_file(file));
    const test::TemporaryFolder folder;
    for (const char* const field : {"seed", "eseed", "ss", "sk", "pk", "ct"}) {
        auto altered = whole;
        auto& text = altered.at(1).at(field).get_ref<std::string&>();
        text.at(10) = text.at(10) == '0' ? '1' : '0';
        test::write_file(folder / "altered.json", altered.dump());
        EXPECT_EQ(outcome(folder / "altered.json"), Outcome::failed) << field;
    }
}

}  // namespace
}  // namespace sotto::audit
