// An audit that can't fail proves nothing: things are broken on purpose, and each group has to turn red.
#include <algorithm>
#include <array>
#include <cstdio>
#include <iostream>

#include "groups.hpp"
#include "runner.hpp"

namespace sotto::audit {
namespace {

/// Which fault beneath the library which group has to notice, and by which of its checks: the one whose name
/// begins like this; without a name any of them.
struct Planned {
    std::string_view group;
    Fault fault;
    std::string_view what;
    std::string_view by =
        {};  // NOLINT(readability-redundant-member-init): else a row without it is warned about
};

constexpr std::array planned{
    Planned{"primitives", Fault::tags_ignored, "both AEADs open whatever their tag is"},
    Planned{"primitives", Fault::signatures_ignored, "every signature verifies"},
    Planned{"primitives", Fault::passphrase_ignored, "every passphrase gives the same key"},
    Planned{"kem", Fault::kem_constant, "ML-KEM gives zeros"},
    Planned{"kem", Fault::comparisons_equal, "every comparison says equal"},
    Planned{"handshake", Fault::tags_ignored, "both AEADs open whatever their tag is"},
    Planned{"handshake", Fault::comparisons_equal, "every comparison says equal"},
    Planned{"handshake", Fault::signatures_ignored, "every signature verifies"},
    Planned{"handshake", Fault::random_repeats, "the random generator repeats itself", "Each beginning"},
    Planned{"ratchet", Fault::random_repeats, "the random generator repeats itself", "A stolen state"},
    Planned{"envelope", Fault::tags_ignored, "both AEADs open whatever their tag is"},
    Planned{"envelope", Fault::comparisons_equal, "every comparison says equal"},
    Planned{"envelope", Fault::random_repeats, "the random generator repeats itself", "One state"},
    Planned{"store", Fault::passphrase_ignored, "every passphrase gives the same key"},
    Planned{"store", Fault::tags_ignored, "both AEADs open whatever their tag is"},
    Planned{"attacks", Fault::zero_agreements, "an all-zero agreement passes", "1 "},
    Planned{"attacks", Fault::points_unchecked, "every Ed25519 key passes", "1 "},
    Planned{"attacks", Fault::kem_constant, "the KEM adds nothing to a handshake", "5 "},
    Planned{"attacks", Fault::tags_ignored, "both AEADs open whatever their tag is", "8 "},
    Planned{"attacks", Fault::random_repeats, "the random generator repeats itself", "12 "},
    Planned{"attacks", Fault::comparisons_equal, "key commitments are not compared", "17 "},
    Planned{"attacks", Fault::tags_ignored, "both AEADs open whatever their tag is", "18 "},
    Planned{"attacks", Fault::random_repeats, "the random generator repeats itself", "19 "},
    Planned{"attacks", Fault::wiping_left_out, "nothing is wiped", "23 "},
    Planned{"attacks", Fault::signatures_ignored, "every signature verifies", "36 "},
    Planned{wiping_group, Fault::wiping_left_out, "nothing is wiped", "Key pairs"},
    Planned{wiping_group, Fault::wiping_left_out, "nothing is wiped", "A handshake"},
    Planned{flow_group, Fault::comparison_branches, "a comparison ends at the first difference"},
    Planned{flow_group, Fault::comparison_indexes, "a comparison looks secrets up in a table"},
};

void say(std::string_view group, bool red, std::string_view fault, std::string_view noticed) {
    std::cout << (red ? "red    " : "MISSED ");
    std::cout << group << std::string(group.size() < 14 ? 14 - group.size() : 1, ' ') << fault;
    if (!noticed.empty()) std::cout << "\n         noticed by: " << noticed;
    std::cout << "\n" << std::flush;
}

bool fails(std::string_view group, const Definition& check, std::string& how) {
    Report ignored;
    const auto entries = run(group, check, ignored);
    how = std::string{check.name} + " (" + entries.front().detail + ")";
    return entries.front().outcome == Outcome::failed;
}

/// The first check that fails under the fault and does not fail without it.
bool turns_red(const Group& group, const Planned& plan, std::string& noticed) {
    for (const auto& check : group.checks) {
        if (!check.name.starts_with(plan.by)) continue;
        const bool broken = [&] {
            const WithFault fault{plan.fault};
            return fails(group.name, check, noticed);
        }();
        std::string ignored;
        if (broken && !fails(group.name, check, ignored)) return true;
    }
    noticed.clear();
    return false;
}

/// The same in processes of their own under Valgrind; `skipped` says why that can't be.
bool flow_turns_red(const Planned& plan, std::string& noticed, std::string& skipped) {
    Report report;
    run_under_valgrind(plan.fault, report);
    for (const auto& entry : report.entries) {
        if (entry.outcome == Outcome::skipped) skipped = entry.detail;
        if (entry.outcome != Outcome::failed) continue;
        noticed = entry.check + " (" + entry.detail + ")";
        return true;
    }
    return false;
}

/// Every byte string of every check that has vectors of its own, altered by one bit, one after the other.
bool alters_vectors(const Group& group) {
    std::size_t altered = 0;
    std::size_t missed = 0;
    std::string which;
    for (const auto& definition : group.checks) {
        Check counting;
        definition.run(counting);
        for (std::size_t i = 0; i < counting.vectors(); ++i) {
            Report ignored;
            const auto entries = run(group.name, definition, ignored, i);
            ++altered;
            if (entries.front().outcome == Outcome::failed) continue;
            ++missed;
            which = std::string{definition.name} + ", vector " + std::to_string(i);
        }
    }
    if (altered == 0) return true;
    say(group.name, missed == 0,
        std::to_string(altered) +
            " vectors, one bit of each altered in turn: " + std::to_string(altered - missed) + " noticed",
        which.empty() ? "" : "not " + which);
    return missed == 0;
}

bool alters_files(const RunOptions& options) {
    auto vectors = options.vectors;
    vectors.alter = true;
    Report report;
    run_vectors(vectors, report);
    bool good = true;
    for (const auto& entry : report.entries) {
        if (entry.outcome == Outcome::skipped) continue;
        const bool red = entry.outcome == Outcome::failed;
        say(entry.group, red, entry.check + ": one bit of one vector altered", red ? entry.detail : "");
        good = good && red;
    }
    return good;
}

enum class Tried : std::uint8_t { red, missed, skipped };

Tried try_group(const Group& group) {
    bool all = true;
    if (group.name == "primitives" || group.name == "kem") all = alters_vectors(group);
    std::size_t tried = 0;
    for (const auto& plan : planned) {
        if (plan.group != group.name) continue;
        ++tried;
        std::string noticed;
        std::string skipped;
        if (sanitized() && plan.fault == Fault::wiping_left_out) {
            if (group.name != wiping_group) continue;
            skipped = "built with a sanitizer, whose own memory keeps copies of everything";
        }
        bool red = false;
        if (skipped.empty())
            red = group.name == flow_group ? flow_turns_red(plan, noticed, skipped)
                                           : turns_red(group, plan, noticed);
        if (!skipped.empty()) {
            std::cout << "skipped " << group.name << ": " << skipped << "\n";
            return Tried::skipped;
        }
        say(group.name, red, plan.what, noticed);
        all = all && red;
    }
    return all && tried > 0 ? Tried::red : Tried::missed;
}

}  // namespace

bool self_test(const RunOptions& options) {
    std::map<Tried, int> outcomes;
    for (const auto& group : all_groups()) {
        const bool wanted =
            options.only.empty() || std::ranges::find(options.only, group.name) != options.only.end();
        if (wanted) ++outcomes[try_group(group)];
    }
    const bool files = alters_files(options);
    const bool good = outcomes[Tried::missed] == 0 && outcomes[Tried::red] > 0 && files;
    std::cout << outcomes[Tried::red] << " groups turned red";
    if (outcomes[Tried::skipped] > 0)
        std::cout << ", " << outcomes[Tried::skipped] << " could not be tried here";
    std::cout << (good ? ": this audit can fail.\n" : "; something was not noticed, see MISSED above.\n");
    return good;
}

}  // namespace sotto::audit
