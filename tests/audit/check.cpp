#include "check.hpp"

#include <chrono>
#include <sstream>
#include <stdexcept>

#include "sotto/crypto/codec.hpp"

namespace sotto::audit {

std::string_view name(Outcome outcome) {
    switch (outcome) {
        case Outcome::passed:
            return "passed";
        case Outcome::failed:
            return "failed";
        case Outcome::skipped:
            return "skipped";
    }
    return "failed";
}

bool Check::expect(bool good, std::string_view what) {
    ++observations_;
    if (!good && wrong_++ == 0) first_wrong_ = what;
    return good;
}

bool Check::same(ByteView got, ByteView wanted, std::string_view what) {
    return expect(std::ranges::equal(got, wanted), what);
}

Bytes Check::vector(std::string_view hex) {
    std::string digits;
    for (const char c : hex)
        if (c != ' ') digits.push_back(c);
    auto bytes = crypto::from_hex(digits);
    if (!bytes) throw std::logic_error("a vector is not hexadecimal");
    if (bytes->empty()) return {};
    if (vectors_++ == altered_) bytes->at(bytes->size() / 2) ^= std::byte{0x08};
    return std::move(*bytes);
}

void Check::not_yet(std::string part, std::string reason) {
    missing_.emplace_back(std::move(part), std::move(reason));
}

void Check::note(const std::string& figure) {
    if (!notes_.empty()) notes_ += "; ";
    notes_ += figure;
}

void Check::series(std::string series_name, std::vector<double> values) {
    series_.push_back({std::move(series_name), std::move(values)});
}

namespace {

std::vector<std::string> words(std::string_view text) {
    std::istringstream in{std::string{text}};
    std::vector<std::string> out;
    for (std::string word; in >> word;) out.push_back(word);
    return out;
}

void conclude(const Check& check, Entry& entry) {
    entry.observations = check.observations();
    if (check.wrong() > 0) {
        entry.outcome = Outcome::failed;
        entry.detail = check.first_wrong();
        if (check.wrong() > 1) entry.detail += " (and " + std::to_string(check.wrong() - 1) + " more)";
    } else if (check.observations() == 0) {
        entry.outcome = Outcome::failed;
        entry.detail = "nothing was looked at";
    } else {
        entry.detail = check.notes();
    }
}

}  // namespace

std::vector<Entry> run(std::string_view group, const Definition& definition, Report& into,
                       std::size_t altered) {
    Check check{altered};
    Entry entry;
    entry.group = group;
    entry.check = definition.name;
    entry.source = definition.source;
    entry.evidence = words(definition.evidence);
    entry.attack = definition.attack;
    const auto begin = std::chrono::steady_clock::now();
    try {
        definition.run(check);
        conclude(check, entry);
    } catch (const Skipped& skipped) {
        entry.outcome = Outcome::skipped;
        entry.detail = skipped.reason;
        entry.observations = 0;
        if (check.wrong() > 0) conclude(check, entry);
    } catch (const std::exception& problem) {
        entry.outcome = Outcome::failed;
        entry.observations = check.observations();
        entry.detail = problem.what();
        if (check.wrong() > 0) entry.detail = check.first_wrong() + "; then " + entry.detail;
    }
    const auto taken = std::chrono::steady_clock::now() - begin;
    entry.milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(taken).count();
    into.series.insert(into.series.end(), check.measured().begin(), check.measured().end());

    std::vector<Entry> out{entry};
    for (const auto& [part, reason] : check.missing()) {
        Entry missing;
        missing.group = group;
        const auto number = entry.attack == 0 ? entry.check : std::to_string(entry.attack);
        missing.check = number + " (in part) " + part;
        missing.source = entry.source;
        missing.attack = entry.attack;
        missing.outcome = Outcome::skipped;
        missing.detail = reason;
        out.push_back(std::move(missing));
    }
    return out;
}

}  // namespace sotto::audit
