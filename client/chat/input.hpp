// What a person types into the chat, as a command. No terminal, no engine.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "sotto/client/presence.hpp"
#include "sotto/storage/client_store.hpp"

namespace sotto::chat {

/// To `to`, or to whoever the chat is open with.
struct Say {
    std::optional<std::string> to;
    std::string text;
};
struct Help {};
struct Who {};
struct Chats {};
/// By the contact's name, or by the number that /chats shows.
struct Switch {
    std::string which;
};
struct History {
    int limit = 0;
};
struct Search {
    std::string words;
};
/// Shows the safety number; with `confirmed` it was compared.
struct Verify {
    bool confirmed = false;
};
struct Block {};
struct Unblock {};
/// Without a choice: what is set is shown.
struct SetPresence {
    std::optional<client::PresenceChoice> choice;
    std::string text;
};
/// Tries to reach the contact directly, or decides whether that may be done.
struct Reach {
    std::optional<storage::DirectChoice> choice;
};
struct Quit {};
/// Nothing was typed.
struct Nothing {};
/// What was typed is no command; a sentence that says what to do.
struct Mistake {
    std::string sentence;
};
using Command = std::variant<Nothing, Say, Help, Who, Chats, Switch, History, Search, Verify, Block, Unblock,
                             SetPresence, Reach, Quit, Mistake>;

/// `/word …` is a command, `@name …` goes to that contact, `//…` and everything else is said as it stands
/// (without the first of two slashes).
[[nodiscard]] Command read_line(std::string_view line);

struct CommandHelp {
    std::string_view name;   ///< with its slash
    std::string_view brief;  ///< a shorter form, or nothing
    std::string_view arguments;
    std::string_view says;
};
[[nodiscard]] std::span<const CommandHelp> command_help();

/// What the word that ends the line may become, whole words: commands, `@names`, or a command's names.
/// `names` are the contacts'.
[[nodiscard]] std::vector<std::string> completions(std::string_view line,
                                                   const std::vector<std::string>& names);

}  // namespace sotto::chat
