// What an audit found: one entry a check, and what was beneath it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sotto::audit {

enum class Outcome : std::uint8_t { passed, failed, skipped };
[[nodiscard]] std::string_view name(Outcome outcome);

struct Entry {
    std::string group;
    std::string check;                  ///< a sentence; of the attacks with their number in front
    Outcome outcome = Outcome::passed;  ///< a check without a single observation has failed
    std::uint64_t observations = 0;     ///< how often something was looked at
    std::string source;                 ///< where the expectation comes from
    std::string detail;                 ///< what was wrong, why it was skipped, or a figure that was seen
    std::vector<std::string> evidence;  ///< tests of threat-model.md that show the same
    int attack = 0;                     ///< number in the list of attacks; 0: none
    std::int64_t milliseconds = 0;
};

/// One file of vectors from outside.
struct VectorFile {
    std::string file;
    std::string algorithm;
    std::uint64_t valid = 0;
    std::uint64_t acceptable = 0;
    std::uint64_t invalid = 0;
    bool run = false;
    std::string why;  ///< it was not run, or how `acceptable` is read
};

struct Version {
    std::string part;
    std::string version;
};

/// A figure of the page: values that were measured by a check.
struct Series {
    std::string name;
    std::vector<double> values;
};

struct Report {
    std::vector<Entry> entries;
    std::vector<VectorFile> files;
    std::vector<Version> versions;
    std::vector<Series> series;
    std::vector<std::string> notes;

    [[nodiscard]] std::size_t count(Outcome outcome) const;
    [[nodiscard]] std::size_t count(std::string_view group, Outcome outcome) const;
    [[nodiscard]] std::uint64_t observations() const;
    [[nodiscard]] std::vector<std::string> groups() const;  ///< in the order in which they were run
};

/// Sotto, the compiler, and the libraries as they say of themselves while running.
[[nodiscard]] std::vector<Version> versions();

[[nodiscard]] std::string as_json(const Report& report);
[[nodiscard]] std::string as_table(const Report& report);
[[nodiscard]] std::string as_html(const Report& report);

}  // namespace sotto::audit
