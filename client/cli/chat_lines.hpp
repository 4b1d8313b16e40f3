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
    explicit ChatLines(const ChatStyle& style) : style_(style) {}

    /// One line or more, each with its line feed. `columns` is the terminal's width.
    [[nodiscard]] std::string render(const chat::Line& line, int columns) const;

  private:
    [[nodiscard]] std::string one(const chat::Line& line) const;
    [[nodiscard]] std::string paint(std::string_view code, const std::string& text) const;

    ChatStyle style_;
};

}  // namespace sotto::cli
