// What a contact shows of themselves changes as often as they like; the lines that tell of it don't.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sotto::chat {

/// At most one line for a contact in `pause`; then the last of what there was. Times in ms since 1970.
class Pace {
  public:
    static constexpr std::int64_t pause = 10'000;

    /// True if this has to be told now. Otherwise it waits, unless it is what was told last.
    [[nodiscard]] bool tell(std::int64_t contact, const std::string& text, std::int64_t now);
    /// Known without a line.
    void know(std::int64_t contact, std::string text, std::int64_t now);
    [[nodiscard]] bool knows(std::int64_t contact) const { return told_.contains(contact); }

    struct Owed {
        std::int64_t contact = 0;
        std::string text;
    };
    /// Takes what has waited long enough: it counts as told now.
    [[nodiscard]] std::vector<Owed> due(std::int64_t now);
    /// When the next one is due.
    [[nodiscard]] std::optional<std::int64_t> next() const;

  private:
    struct Told {
        std::string text;
        std::int64_t at = 0;
        std::optional<std::string> waits;
    };
    std::map<std::int64_t, Told> told_;
};

}  // namespace sotto::chat
