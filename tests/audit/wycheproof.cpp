#include "wycheproof.hpp"

#include <algorithm>
#include <chrono>
#include <fstream>

#include "sotto/crypto/codec.hpp"
#include "sotto/crypto/hash.hpp"
#include "wycheproof_cases.hpp"

namespace sotto::audit {
namespace {

using nlohmann::json;

/// What the published files hold: SHA-256 over their test groups, as JSON without blanks and with sorted
/// keys. A vector that is wrong on purpose is refused as well when it is wrong in another way; only this
/// tells.
struct Known {
    std::string_view file;
    std::string_view digest;
};
constexpr std::array known_files{
#include "wycheproof_known.inc"
};

std::string digest_of(const json& vectors) {
    return crypto::to_hex(crypto::sha256(bytes_of(vectors.dump())));
}

/// Flips one bit of the first byte string that is found in the middle vector.
void alter(json& file) {
    auto& groups = file.at("testGroups");
    auto& tests = groups.at(groups.size() / 2).at("tests");
    auto& test = tests.at(tests.size() / 2);
    for (const auto& [name, value] : test.items()) {
        if (name == "comment" || name == "result" || !value.is_string()) continue;
        auto bytes = crypto::from_hex(value.get<std::string>());
        if (!bytes || bytes->empty()) continue;
        bytes->at(bytes->size() / 2) ^= std::byte{1};
        value = crypto::to_hex(*bytes);
        return;
    }
    throw std::runtime_error("the vector has no byte string to alter");
}

struct Tally {
    Entry entry;
    VectorFile file;
    std::uint64_t wrong = 0;

    void judged(const std::string& problem, const std::string& which) {
        ++entry.observations;
        if (problem.empty()) return;
        if (wrong++ == 0) entry.detail = "vector " + which + ": " + problem;
        entry.outcome = Outcome::failed;
    }
};

void run_groups(const Kind& kind, const json& file, Tally& tally) {
    for (const auto& group : file.at("testGroups")) {
        for (const auto& test : group.at("tests")) {
            const auto result = test.at("result").get<std::string>();
            tally.file.valid += result == "valid" ? 1U : 0U;
            tally.file.acceptable += result == "acceptable" ? 1U : 0U;
            tally.file.invalid += result != "valid" && result != "acceptable" ? 1U : 0U;
            std::string problem;
            try {
                problem = kind.judge(group, test);
            } catch (const std::exception& thrown) {
                problem = thrown.what();
            }
            tally.judged(problem, test.at("tcId").dump());
        }
    }
    if (tally.entry.observations != file.at("numberOfTests").get<std::uint64_t>())
        tally.judged("the file names another number of tests", "count");
}

void compare_with_known(const VectorOptions& options, const std::string& name, const json& vectors,
                        Tally& tally) {
    const auto* const known = std::ranges::find(known_files, name, &Known::file);
    const auto digest = digest_of(vectors);
    if (known != known_files.end() && known->digest == digest) return;
    if (options.any_version) {
        tally.entry.detail +=
            std::string{tally.entry.detail.empty() ? "" : "; "} + "another version than the known one";
        return;
    }
    tally.judged(
        "the vectors are not those that were published under this name (altered, or of another version: "
        "then give --any-version)",
        "digest");
}

/// One file; nothing if it is of no kind that is known here.
Tally run_file(const VectorOptions& options, const std::filesystem::path& path) {
    Tally tally;
    const auto name = path.filename().string();
    tally.entry.group = "primitives";
    tally.entry.check = "Wycheproof " + name;
    tally.file.file = name;
    std::ifstream in{path};
    try {
        auto file = json::parse(in);
        const auto algorithm = file.at("algorithm").get<std::string>();
        const auto schema = file.at("schema").get<std::string>();
        tally.file.algorithm = algorithm;
        const auto* const kind = kind_of(algorithm, schema);
        if (kind == nullptr) {
            tally.entry.outcome = Outcome::skipped;
            tally.entry.detail = tally.file.why = algorithm + " (" + schema + ") is not used here";
            return tally;
        }
        const bool other_parameters =
            algorithm == "ML-KEM" && file.at("testGroups").at(0).value("parameterSet", "") != "ML-KEM-768";
        if (other_parameters) {
            tally.entry.outcome = Outcome::skipped;
            tally.entry.detail = tally.file.why = "another parameter set than ML-KEM-768";
            return tally;
        }
        tally.entry.source = "C2SP/wycheproof; " + std::string{kind->function};
        if (options.alter) alter(file);
        tally.file.run = true;
        tally.file.why = kind->note;
        run_groups(*kind, file, tally);
        if (tally.wrong == 0) {
            tally.entry.detail = std::to_string(tally.file.valid) + " valid, " +
                                 std::to_string(tally.file.acceptable) + " acceptable, " +
                                 std::to_string(tally.file.invalid) + " invalid";
        }
        compare_with_known(options, name, file.at("testGroups"), tally);
    } catch (const std::exception& problem) {
        tally.judged(problem.what(), "file");
    }
    if (tally.wrong > 1) tally.entry.detail += " (and " + std::to_string(tally.wrong - 1) + " more)";
    return tally;
}

void take(Tally tally, std::chrono::steady_clock::time_point begin, Report& into) {
    const auto taken = std::chrono::steady_clock::now() - begin;
    tally.entry.milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(taken).count();
    into.entries.push_back(std::move(tally.entry));
    into.files.push_back(std::move(tally.file));
}

void run_xwing(const VectorOptions& options, Report& into) {
    const auto begin = std::chrono::steady_clock::now();
    Tally tally;
    tally.entry.group = "kem";
    tally.entry.check = "X-Wing " + options.xwing.filename().string();
    tally.entry.source = "draft-connolly-cfrg-xwing-kem; libsodium's, not used by the protocol";
    tally.file.file = "xwing/" + options.xwing.filename().string();
    tally.file.algorithm = "X-Wing";
    tally.file.run = true;
    std::ifstream in{options.xwing};
    try {
        auto file = json::parse(in);
        if (options.alter) {
            auto& shared = file.at(file.size() / 2).at("ss").get_ref<std::string&>();
            shared.front() = shared.front() == '0' ? '1' : '0';
        }
        std::size_t which = 0;
        for (const auto& test : file) {
            ++tally.file.valid;
            std::string problem;
            try {
                problem = judge_xwing(test);
            } catch (const std::exception& thrown) {
                problem = thrown.what();
            }
            tally.judged(problem, std::to_string(++which));
        }
        if (tally.entry.observations == 0) tally.judged("the file holds no vector", "file");
        if (tally.wrong == 0) tally.entry.detail = std::to_string(which) + " vectors, every field";
    } catch (const std::exception& problem) {
        tally.judged(problem.what(), "file");
    }
    take(std::move(tally), begin, into);
}

}  // namespace

void run_vectors(const VectorOptions& options, Report& into) {
    if (!options.wycheproof.empty()) {
        std::vector<std::filesystem::path> files;
        std::error_code problem;
        for (const auto& entry : std::filesystem::directory_iterator{options.wycheproof, problem})
            if (entry.path().extension() == ".json") files.push_back(entry.path());
        std::ranges::sort(files);
        for (const auto& file : files) {
            const auto begin = std::chrono::steady_clock::now();
            take(run_file(options, file), begin, into);
        }
        const bool any = std::ranges::any_of(into.files, &VectorFile::run);
        if (!any) {
            Entry entry;
            entry.group = "primitives";
            entry.check = "Wycheproof";
            entry.outcome = Outcome::failed;
            entry.detail = options.wycheproof.string() + " holds no file that is known here";
            into.entries.push_back(std::move(entry));
        }
    }
    if (!options.xwing.empty()) run_xwing(options, into);
}

}  // namespace sotto::audit
