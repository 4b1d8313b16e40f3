#include "input.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace sotto::chat {
namespace {

constexpr int usual_history = 20;
constexpr int longest_history = 10'000;

constexpr std::array help{
    CommandHelp{.name = "/help", .brief = "/h", .arguments = "", .says = "this list"},
    CommandHelp{.name = "/who", .brief = "/w", .arguments = "", .says = "who is there"},
    CommandHelp{
        .name = "/chats", .brief = "/c", .arguments = "", .says = "conversations, with what is unread"},
    CommandHelp{.name = "/switch",
                .brief = "/s",
                .arguments = "NAME|NUMBER",
                .says = "go on with somebody else; bare text goes to them then"},
    CommandHelp{.name = "/history",
                .brief = "/hi",
                .arguments = "[COUNT]",
                .says = "what was said last in this conversation"},
    CommandHelp{
        .name = "/search", .brief = "/f", .arguments = "WORDS", .says = "messages with all of these words"},
    CommandHelp{.name = "/verify",
                .brief = "/v",
                .arguments = "[confirm]",
                .says = "the safety number; `confirm` once both have compared it"},
    CommandHelp{
        .name = "/block", .brief = "", .arguments = "", .says = "take nothing more from this contact"},
    CommandHelp{.name = "/unblock", .brief = "", .arguments = "", .says = "let them write again"},
    CommandHelp{.name = "/presence",
                .brief = "/p",
                .arguments = "[online|away|busy|invisible [TEXT]]",
                .says = "what contacts see of you"},
    CommandHelp{.name = "/direct",
                .brief = "/d",
                .arguments = "[on|off|default]",
                .says = "reach this contact without the server, now; or say if that may be done, which shows "
                        "them your network address"},
    CommandHelp{.name = "/quit", .brief = "/q", .arguments = "", .says = "leave"},
};

[[nodiscard]] bool blank(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}
[[nodiscard]] std::string_view trimmed(std::string_view text) {
    while (!text.empty() && blank(text.front())) text.remove_prefix(1);
    while (!text.empty() && blank(text.back())) text.remove_suffix(1);
    return text;
}
/// Takes the first word off.
[[nodiscard]] std::string_view next_word(std::string_view& text) {
    text = trimmed(text);
    const auto* const end = std::ranges::find_if(text, blank);
    const auto word = text.substr(0, static_cast<std::size_t>(end - text.begin()));
    text = trimmed(text.substr(word.size()));
    return word;
}

[[nodiscard]] Command mistake(std::string sentence) {
    return Mistake{std::move(sentence)};
}
/// Of a command that takes nothing.
[[nodiscard]] Command alone(std::string_view name, std::string_view rest, Command command) {
    if (rest.empty()) return command;
    return mistake(std::string{name} + " takes nothing behind it; to say it, begin with two slashes.");
}

[[nodiscard]] Command read_history(std::string_view rest) {
    if (rest.empty()) return History{usual_history};
    int limit = 0;
    const auto [at, error] = std::from_chars(rest.data(), rest.data() + rest.size(), limit);
    if (error != std::errc{} || at != rest.data() + rest.size() || limit < 1 || limit > longest_history)
        return mistake("Say how many messages, from 1 to 10000, as in /history 50.");
    return History{limit};
}

[[nodiscard]] Command read_presence(std::string_view rest) {
    using client::PresenceChoice;
    if (rest.empty()) return SetPresence{};
    const auto word = next_word(rest);
    for (const auto choice :
         {PresenceChoice::online, PresenceChoice::away, PresenceChoice::busy, PresenceChoice::invisible})
        if (word == client::name(choice)) return SetPresence{.choice = choice, .text = std::string{rest}};
    return mistake("Choose online, away, busy or invisible, as in /presence away back at three.");
}

[[nodiscard]] Command read_direct(std::string_view rest) {
    using storage::DirectChoice;
    if (rest.empty()) return Reach{};
    if (rest == "on") return Reach{.choice = DirectChoice::always};
    if (rest == "off") return Reach{.choice = DirectChoice::never};
    if (rest == "default") return Reach{.choice = DirectChoice::by_setting};
    return mistake("/direct tries it now; /direct on, off or default says whether it may be done.");
}

[[nodiscard]] Command read_command(std::string_view name, std::string_view rest) {
    if (name == "/help") return alone(name, rest, Help{});
    if (name == "/who") return alone(name, rest, Who{});
    if (name == "/chats") return alone(name, rest, Chats{});
    if (name == "/block") return alone(name, rest, Block{});
    if (name == "/unblock") return alone(name, rest, Unblock{});
    if (name == "/quit") return alone(name, rest, Quit{});
    if (name == "/history") return read_history(rest);
    if (name == "/presence") return read_presence(rest);
    if (name == "/direct") return read_direct(rest);
    if (name == "/switch") {
        if (rest.empty()) return mistake("Say with whom to go on, as in /switch bob; /chats lists them.");
        return Switch{std::string{rest}};
    }
    if (name == "/search") {
        if (rest.empty()) return mistake("Say which words to look for, as in /search lunch.");
        return Search{std::string{rest}};
    }
    if (rest.empty()) return Verify{};
    if (rest == "confirm") return Verify{.confirmed = true};
    return mistake("/verify shows the safety number; /verify confirm says that you both have compared it.");
}

/// The full name of a command by any of its forms; nothing if it is none, or several.
[[nodiscard]] std::string_view full_name(std::string_view word) {
    std::string_view found;
    for (const auto& one : help) {
        if (word == one.name || (!one.brief.empty() && word == one.brief)) return one.name;
        if (!one.name.starts_with(word)) continue;
        if (!found.empty()) return {};
        found = one.name;
    }
    return found;
}

}  // namespace

std::span<const CommandHelp> command_help() {
    return help;
}

Command read_line(std::string_view line) {
    auto text = trimmed(line);
    if (text.empty()) return Nothing{};
    if (text.starts_with("//")) return Say{.to = {}, .text = std::string{text.substr(1)}};
    if (text.starts_with('@') && text.size() > 1 && !blank(text[1])) {
        const auto name = next_word(text).substr(1);
        // A name alone is where to go on.
        if (text.empty()) return Switch{std::string{name}};
        return Say{.to = std::string{name}, .text = std::string{text}};
    }
    if (!text.starts_with('/')) return Say{.to = {}, .text = std::string{text}};
    const auto word = next_word(text);
    const auto name = word.size() > 1 ? full_name(word) : std::string_view{};
    if (name.empty())
        return mistake("There is no command " + std::string{word} +
                       "; /help lists them, and // begins a message with a slash.");
    return read_command(name, text);
}

std::vector<std::string> completions(std::string_view line, const std::vector<std::string>& names) {
    std::vector<std::string> out;
    const auto space = line.find_last_of(" \t");
    const bool first = space == std::string_view::npos;
    const auto word = first ? line : line.substr(space + 1);
    if (first && word.starts_with('/')) {
        for (const auto& one : help)
            if (one.name.starts_with(word)) out.emplace_back(one.name);
        return out;
    }
    if (first && word.starts_with('@')) {
        for (const auto& name : names)
            if (std::string_view{name}.starts_with(word.substr(1))) out.push_back("@" + name);
        return out;
    }
    auto before = line.substr(0, first ? 0 : space);
    const auto command = full_name(next_word(before));
    if (!before.empty()) return out;
    if (command == "/switch") {
        for (const auto& name : names)
            if (std::string_view{name}.starts_with(word)) out.push_back(name);
    } else if (command == "/presence") {
        for (const auto* const choice : {"online", "away", "busy", "invisible"})
            if (std::string_view{choice}.starts_with(word)) out.emplace_back(choice);
    } else if (command == "/direct") {
        for (const auto* const choice : {"on", "off", "default"})
            if (std::string_view{choice}.starts_with(word)) out.emplace_back(choice);
    } else if (command == "/verify" && std::string_view{"confirm"}.starts_with(word)) {
        out.emplace_back("confirm");
    }
    return out;
}

}  // namespace sotto::chat
