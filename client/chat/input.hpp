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

/// To whoever the chat is open with.
struct Say {
    std::string text;
};
/// What stood behind an @: names may have blanks, and only the contacts' own tell where one ends.
struct Write {
    std::string rest;
};
struct Help {};
struct Who {};
struct Chats {};
// `whom`, `which`: a contact's name (an @ before it is passed over), address, or number as /chats shows it;
// empty: whoever the chat is open with.
struct Switch {
    std::string which;
};
struct History {
    std::string whom;
    int limit = 0;
};
/// `@NAME` may stand before the words.
struct Search {
    std::string words;
};
/// Shows the safety number; with `confirmed` it was compared.
struct Verify {
    std::string whom;
    bool confirmed = false;
};
/// Says what it would do; with `confirmed` does it.
struct Block {
    std::string whom;
    bool confirmed = false;
};
struct Unblock {
    std::string whom;
};
/// Without a choice: what is set is shown.
struct SetPresence {
    std::optional<client::PresenceChoice> choice;
    std::string text;
};
/// Tries to reach the contact directly, or decides whether that may be done.
struct Reach {
    std::string whom;
    std::optional<storage::DirectChoice> choice;
};
struct Quit {};
/// Nothing was typed.
struct Nothing {};
/// What was typed is no command; a sentence that says what to do.
struct Mistake {
    std::string sentence;
};
using Command = std::variant<Nothing, Say, Write, Help, Who, Chats, Switch, History, Search, Verify, Block,
                             Unblock, SetPresence, Reach, Quit, Mistake>;

/// `/word …` is a command, `@name …` goes to that contact, `//…` and everything else is said as it stands
/// (without the first of two slashes). What has more than one line was pasted: it is never a command.
[[nodiscard]] Command read_line(std::string_view line);

struct Addressed {
    std::string whom;
    std::string text;  ///< may be empty
};
/// Takes apart what stood behind an @. The longest of `names` that it begins with is whom it is for,
/// otherwise its first word; a colon or a comma behind that is no part of the text.
[[nodiscard]] Addressed addressed(std::string_view rest, std::span<const std::string> names);

struct CommandHelp {
    std::string_view name;   ///< with its slash
    std::string_view brief;  ///< a shorter form, or nothing
    std::string_view arguments;
    std::string_view says;
    bool in_full = false;  ///< the beginning of its name is not enough
};
[[nodiscard]] std::span<const CommandHelp> command_help();

/// What the word that ends the line may become: commands, `@names`, or what a command takes. Of a name with
/// blanks that has been begun it is the rest. `names` are the contacts'.
[[nodiscard]] std::vector<std::string> completions(std::string_view line,
                                                   const std::vector<std::string>& names);

}  // namespace sotto::chat
