#include "claims.hpp"

#include <algorithm>
#include <cctype>
#include <regex>

#include "embedded.hpp"
#include "support/process.hpp"

namespace sotto::audit {
namespace {

const std::regex& test_name() {
    static const std::regex pattern{"`([A-Za-z0-9]+\\.[A-Za-z0-9]+)`"};
    return pattern;
}

std::vector<std::string> tests_in(const std::string& text) {
    std::vector<std::string> out;
    for (std::sregex_iterator it{text.begin(), text.end(), test_name()}, end; it != end; ++it) {
        const auto name = (*it)[1].str();
        if (!name.ends_with(".md") && !name.ends_with(".proto") && !name.ends_with(".hpp"))
            out.push_back(name);
    }
    return out;
}

/// The words without marks, without the names of tests, and without what joins these.
std::string plain(const std::string& text) {
    static const std::regex names{R"(:?\s*\(?`[A-Za-z0-9]+\.[A-Za-z0-9]+`\)?,?)"};
    auto out = std::regex_replace(text, names, "");
    std::erase_if(out, [](char c) { return c == '*' || c == '`'; });
    while (!out.empty() && std::string_view{";:,. "}.find(out.back()) != std::string_view::npos)
        out.pop_back();
    return out;
}

/// Lists go on until the next item, blank line or heading; so do paragraphs.
struct Block {
    std::string section;
    std::string text;
};

std::vector<Block> blocks() {
    std::vector<Block> out;
    std::string section;
    bool open = false;
    for (const auto& line : test::lines_of(embedded::threat_model())) {
        if (line.starts_with("## ")) {
            section = line.substr(3);
            open = false;
        } else if (line.empty() || line.starts_with("# ") || line.starts_with('|')) {
            open = false;  // what stands in a table is a claim's name again
        } else if (line.starts_with("- ")) {
            out.push_back({section, line.substr(2)});
            open = true;
        } else if (open) {
            const auto from = line.find_first_not_of(' ');
            out.back().text += " " + line.substr(from == std::string::npos ? 0 : from);
        } else {
            out.push_back({section, line});
            open = true;
        }
    }
    return out;
}

}  // namespace

std::vector<Claim> claims() {
    std::vector<Claim> out;
    std::string introduction;  // "They **cannot**", which the items below go on with
    for (const auto& block : blocks()) {
        const bool introduces = block.text.find("**cannot**") != std::string::npos;
        const auto tests = tests_in(block.text);
        if (introduces) introduction = block.section;
        if (block.text.find("**can**") != std::string::npos && !introduces) introduction.clear();
        const bool claimed = introduces || introduction == block.section;
        if (tests.empty() || !claimed) continue;
        auto text = plain(block.text);
        // An item of a list goes on from the words above it.
        const bool goes_on = !introduces && std::islower(static_cast<unsigned char>(text.front())) != 0;
        if (goes_on) text = "cannot " + text;
        out.push_back({block.section, text, tests});
    }
    return out;
}

std::vector<const Entry*> evidence_for(const Claim& claim, const Report& report) {
    std::vector<const Entry*> out;
    for (const auto& entry : report.entries) {
        const bool shows = std::ranges::any_of(entry.evidence, [&](const std::string& name) {
            return std::ranges::find(claim.tests, name) != claim.tests.end();
        });
        if (shows) out.push_back(&entry);
    }
    return out;
}

}  // namespace sotto::audit
