// What a check is and what it may do. A group is a table of these: a new check is a function and a row.
#pragma once

#include <functional>
#include <map>
#include <span>

#include "report.hpp"
#include "sotto/crypto/bytes.hpp"

namespace sotto::audit {

/// Thrown by Check::skip.
struct Skipped {
    std::string reason;
};

/// Which byte string of a check's vectors a self-test alters; none outside it.
inline constexpr std::size_t no_vector = SIZE_MAX;

class Check {
  public:
    explicit Check(std::size_t altered = no_vector) : altered_(altered) {}

    /// One observation. The first of those that are wrong stands in the report.
    bool expect(bool good, std::string_view what);
    bool same(ByteView got, ByteView wanted, std::string_view what);

    /// The bytes of a published vector, in hexadecimal digits; blanks are passed over.
    [[nodiscard]] Bytes vector(std::string_view hex);

    /// Nothing can be checked here, and why. Ends the check.
    [[noreturn]] static void skip(std::string reason) { throw Skipped{std::move(reason)}; }
    /// A part of this check that can't be done yet: an entry of its own, skipped.
    void not_yet(std::string part, std::string reason);
    /// A figure for the report.
    void note(const std::string& figure);
    /// Values for the page's figures.
    void series(std::string name, std::vector<double> values);

    [[nodiscard]] std::uint64_t observations() const { return observations_; }
    [[nodiscard]] std::uint64_t wrong() const { return wrong_; }
    [[nodiscard]] std::size_t vectors() const { return vectors_; }
    [[nodiscard]] const std::string& first_wrong() const { return first_wrong_; }
    [[nodiscard]] const std::string& notes() const { return notes_; }
    [[nodiscard]] const std::vector<std::pair<std::string, std::string>>& missing() const { return missing_; }
    [[nodiscard]] const std::vector<Series>& measured() const { return series_; }

  private:
    std::size_t altered_;
    std::size_t vectors_ = 0;
    std::uint64_t observations_ = 0;
    std::uint64_t wrong_ = 0;
    std::string first_wrong_;
    std::string notes_;
    std::vector<std::pair<std::string, std::string>> missing_;
    std::vector<Series> series_;
};

struct Definition {
    std::string_view name;
    std::string_view source;
    void (*run)(Check&);
    // NOLINTNEXTLINE(readability-redundant-member-init): else a row without it is warned about
    std::string_view evidence = {};  ///< `Suite.Name` of threat-model.md, apart by blanks
    int attack = 0;
};

struct Group {
    std::string_view name;
    std::string_view purpose;
    std::span<const Definition> checks;
};

/// Runs one check: whatever it throws has failed it.
[[nodiscard]] std::vector<Entry> run(std::string_view group, const Definition& definition, Report& into,
                                     std::size_t altered = no_vector);

}  // namespace sotto::audit
