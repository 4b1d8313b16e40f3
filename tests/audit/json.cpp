#include <nlohmann/json.hpp>

#include "claims.hpp"
#include "report.hpp"

namespace sotto::audit {
namespace {

using nlohmann::ordered_json;

ordered_json as_json_entry(const Entry& entry) {
    ordered_json out{{"group", entry.group},
                     {"check", entry.check},
                     {"outcome", name(entry.outcome)},
                     {"observations", entry.observations},
                     {"source", entry.source},
                     {"detail", entry.detail},
                     {"milliseconds", entry.milliseconds}};
    if (entry.attack != 0) out["attack"] = entry.attack;
    if (!entry.evidence.empty()) out["evidence"] = entry.evidence;
    return out;
}

ordered_json as_json_file(const VectorFile& file) {
    return {{"file", file.file},   {"algorithm", file.algorithm},   {"run", file.run},
            {"valid", file.valid}, {"acceptable", file.acceptable}, {"invalid", file.invalid},
            {"note", file.why}};
}

}  // namespace

std::string as_json(const Report& report) {
    ordered_json out;
    out["passed"] = report.count(Outcome::passed);
    out["failed"] = report.count(Outcome::failed);
    out["skipped"] = report.count(Outcome::skipped);
    out["observations"] = report.observations();
    for (const auto& version : report.versions) out["versions"][version.part] = version.version;
    for (const auto& group : report.groups())
        out["groups"].push_back({{"group", group},
                                 {"passed", report.count(group, Outcome::passed)},
                                 {"failed", report.count(group, Outcome::failed)},
                                 {"skipped", report.count(group, Outcome::skipped)}});
    out["entries"] = ordered_json::array();
    for (const auto& entry : report.entries) out["entries"].push_back(as_json_entry(entry));
    out["vector_files"] = ordered_json::array();
    for (const auto& file : report.files) out["vector_files"].push_back(as_json_file(file));
    out["notes"] = report.notes;
    for (const auto& claim : claims()) {
        ordered_json seen = ordered_json::array();
        for (const auto* const entry : evidence_for(claim, report))
            seen.push_back(
                {{"group", entry->group}, {"check", entry->check}, {"outcome", name(entry->outcome)}});
        out["claims"].push_back({{"adversary", claim.adversary},
                                 {"claim", claim.text},
                                 {"tests", claim.tests},
                                 {"seen", std::move(seen)}});
    }
    return out.dump(2) + "\n";
}

}  // namespace sotto::audit
