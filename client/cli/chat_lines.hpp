// How the lines of a chat look on a terminal.
#pragma once

#include <string>

#include "client/chat/chat.hpp"

namespace sotto::cli {

struct ChatStyle {
    bool colours = false;
    bool echoed = false;  ///< what was typed stands on the screen already
};

/// One line or more, each with its line feed.
[[nodiscard]] std::string rendered(const chat::Line& line, const ChatStyle& style);

}  // namespace sotto::cli
