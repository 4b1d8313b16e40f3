// How the lines of a chat look on a terminal.
#pragma once

#include <string>

#include "client/chat/chat.hpp"

namespace sotto::cli {

struct ChatStyle {
    bool colours = false;
    bool echoed = false;   ///< what was typed stands on the screen already
    bool wrapped = false;  ///< at the width of the terminal; otherwise long runs of blanks are shortened
};

class ChatLines {
  public:
    /// What is of the day of `now` needs no day before it.
    ChatLines(const ChatStyle& style, std::int64_t now);

    /// One line or more, each with its line feed; before them the day, where it is another than that of the
    /// line before. `columns` is the terminal's width.
    [[nodiscard]] std::string render(const chat::Line& line, int columns);

  private:
    [[nodiscard]] std::string one(const chat::Line& line) const;
    [[nodiscard]] std::string paint(std::string_view code, const std::string& text) const;

    ChatStyle style_;
    std::string day_;
};

}  // namespace sotto::cli
