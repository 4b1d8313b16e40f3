#include "vectors.hpp"

#include <array>
#include <fstream>
#include <iterator>

namespace sotto::vectors {
namespace {

const Kind& kind_of(const std::string& name) {
    for (const auto& kind : kinds())
        if (name == kind.name) return kind;
    throw Mismatch(name + ": no file is called so");
}

}  // namespace

const Json& World::file(const std::string& name) const {
    const auto found = files_->find(name);
    if (found == files_->end()) throw Mismatch(name + ": missing");
    return found->second;
}

Person World::person(const std::string& name) const {
    for (const auto& one : file("people.json").at("cases"))
        if (one.at("name") == name) return Person{one.at("given")};
    throw Mismatch(name + ": nobody is called so");
}

Json new_case(const char* name, Json given) {
    return {{"name", name}, {"given", std::move(given)}};
}

std::span<const Kind> kinds() {
    static const std::array all{people_kind, record_kind,  prekey_kind,        handshake_kind,
                                epoch_kind,  ratchet_kind, envelope_kind,      attachment_kind,
                                invite_kind, login_kind,   safety_number_kind, passphrase_kind,
                                link_kind};
    return all;
}

Files generate() {
    Files files;
    std::uint64_t seed = 14;
    for (const auto& kind : kinds()) {
        crypto::SeededRng rng{seed++};
        const World world{files, &rng};
        Json cases = kind.cases(world);
        for (auto& one : cases) one["derived"] = kind.derive(one.at("given"), world);
        files[kind.name] = {{"about", kind.about}, {"cases", std::move(cases)}};
    }
    return files;
}

std::string printed(const Json& file) {
    return file.dump(1) + "\n";
}

void verify_case(const Files& files, const Kind& kind, const Json& one) {
    const World world{files, nullptr};
    const auto where = std::string{kind.name} + " \"" + one.at("name").get<std::string>() + "\"";
    try {
        expect_that(one.size() == 3, "a case is name, given and derived");
        auto given = one.at("given");
        expect_same(one.at("derived"), kind.derive(given, world), "derived");
        kind.check(given, one.at("derived"), world);
    } catch (const std::exception& problem) {
        throw Mismatch(where + ": " + problem.what());
    }
}

void verify_file(const Files& files, const std::string& name) {
    const auto& kind = kind_of(name);
    const auto& file = World{files, nullptr}.file(name);
    if (!file.contains("cases") || !file.at("cases").is_array() || file.at("cases").empty())
        throw Mismatch(name + ": has no cases");
    for (const auto& one : file.at("cases")) verify_case(files, kind, one);
}

void verify(const Files& files) {
    for (const auto& kind : kinds()) verify_file(files, kind.name);
    for (const auto& [name, file] : files) static_cast<void>(kind_of(name));
}

Files read(const std::filesystem::path& folder) {
    Files files;
    for (const auto& entry : std::filesystem::directory_iterator{folder}) {
        if (entry.path().extension() != ".json") continue;
        std::ifstream in{entry.path()};
        files[entry.path().filename()] = Json::parse(in);
    }
    return files;
}

void write(const Files& files, const std::filesystem::path& folder) {
    for (const auto& [name, file] : files) {
        std::ofstream out{folder / name, std::ios::trunc | std::ios::binary};
        out << printed(file);
        if (!out.flush()) throw std::runtime_error("can't write " + (folder / name).string());
    }
}

}  // namespace sotto::vectors
