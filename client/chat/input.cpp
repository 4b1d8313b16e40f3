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
                .arguments = "[NAME] [COUNT]",
                .says = "what was said last in this conversation, or with NAME"},
    CommandHelp{.name = "/search",
                .brief = "/f",
                .arguments = "[@NAME] WORDS",
                .says = "messages with all of these words"},
    CommandHelp{.name = "/verify",
                .brief = "/v",
                .arguments = "[NAME] [confirm]",
                .says = "the safety number; `confirm` once both have compared it"},
    CommandHelp{.name = "/block",
                .brief = "",
                .arguments = "[NAME] [confirm]",
                .says = "take nothing more from this contact; asks first",
                .in_full = true},
    CommandHelp{.name = "/unblock", .brief = "", .arguments = "[NAME]", .says = "let them write again"},
    CommandHelp{.name = "/presence",
                .brief = "/p",
                .arguments = "[online|away|busy|invisible [TEXT]]",
                .says = "what contacts see of you"},
    CommandHelp{.name = "/direct",
                .brief = "/d",
                .arguments = "[NAME] [on|off|default]",
                .says = "reach this contact without the server, now; or say if that may be done, which shows "
                        "them your network address"},
    CommandHelp{.name = "/quit", .brief = "/q", .arguments = "", .says = "leave"},
};

/// What hands have learnt elsewhere: known in full, and not listed one by one.
constexpr std::array<std::string_view, 5> learnt_elsewhere{"/msg", "/query", "/away", "/back", "/exit"};

constexpr std::array<std::string_view, 4> presence_words{"online", "away", "busy", "invisible"};
constexpr std::array<std::string_view, 3> direct_words{"on", "off", "default"};
constexpr std::array<std::string_view, 1> confirm_words{"confirm"};
constexpr std::array<std::string_view, 8> take_names{"/switch", "/query", "/msg",     "/history",
                                                     "/verify", "/block", "/unblock", "/direct"};

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

/// Takes the last word off if it is one of these.
[[nodiscard]] std::string_view last_word(std::string_view& text, std::span<const std::string_view> words) {
    const auto before = text.find_last_of(" \t\n\r");
    const auto word = before == std::string_view::npos ? text : text.substr(before + 1);
    if (std::ranges::find(words, word) == words.end()) return {};
    text = trimmed(text.substr(0, text.size() - word.size()));
    return word;
}

[[nodiscard]] Command read_history(std::string_view rest) {
    const auto before = rest.find_last_of(" \t");
    const auto word = before == std::string_view::npos ? rest : rest.substr(before + 1);
    int limit = 0;
    const auto [at, error] = std::from_chars(word.data(), word.data() + word.size(), limit);
    if (word.empty() || at != word.data() + word.size())
        return History{.whom = std::string{rest}, .limit = usual_history};
    if (error != std::errc{} || limit < 1 || limit > longest_history)
        return mistake("Say how many messages, from 1 to 10000, as in /history 50.");
    return History{.whom = std::string{trimmed(rest.substr(0, rest.size() - word.size()))}, .limit = limit};
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
    const auto word = last_word(rest, direct_words);
    Reach out{.whom = std::string{rest}, .choice = {}};
    if (word == "on") out.choice = DirectChoice::always;
    if (word == "off") out.choice = DirectChoice::never;
    if (word == "default") out.choice = DirectChoice::by_setting;
    return out;
}

[[nodiscard]] Command read_switch(std::string_view name, std::string_view rest) {
    if (!rest.empty()) return Switch{std::string{rest}};
    return mistake("Say with whom to go on, as in " + std::string{name} + " bob; /chats lists them.");
}

[[nodiscard]] Command read_command(std::string_view name, std::string_view rest) {
    if (name == "/help") return alone(name, rest, Help{});
    if (name == "/who") return alone(name, rest, Who{});
    if (name == "/chats") return alone(name, rest, Chats{});
    if (name == "/quit" || name == "/exit") return alone(name, rest, Quit{});
    if (name == "/unblock") return Unblock{std::string{rest}};
    if (name == "/history") return read_history(rest);
    if (name == "/presence") return read_presence(rest);
    if (name == "/direct") return read_direct(rest);
    if (name == "/switch" || name == "/query") return read_switch(name, rest);
    if (name == "/away")
        return SetPresence{.choice = client::PresenceChoice::away, .text = std::string{rest}};
    if (name == "/back")
        return alone(name, rest, SetPresence{.choice = client::PresenceChoice::online, .text = {}});
    if (name == "/msg") {
        if (rest.starts_with('@')) rest.remove_prefix(1);
        if (rest.empty()) return mistake("Say to whom and what, as in /msg bob see you at noon.");
        return Write{std::string{rest}};
    }
    if (name == "/search") {
        if (rest.empty()) return mistake("Say which words to look for, as in /search lunch.");
        return Search{std::string{rest}};
    }
    const bool confirmed = !last_word(rest, confirm_words).empty();
    if (name == "/block") return Block{.whom = std::string{rest}, .confirmed = confirmed};
    return Verify{.whom = std::string{rest}, .confirmed = confirmed};
}

/// The full name of a command by any of its forms; nothing if it is none, or several.
[[nodiscard]] std::string_view full_name(std::string_view word) {
    std::string_view found;
    for (const auto& one : help) {
        if (word == one.name || (!one.brief.empty() && word == one.brief)) return one.name;
        if (!one.name.starts_with(word)) continue;
        if (!found.empty() || one.in_full) return {};
        found = one.name;
    }
    if (const auto* const known = std::ranges::find(learnt_elsewhere, word); known != learnt_elsewhere.end())
        return *known;
    return found;
}

/// Where the words behind `begun` go on in each of the names that begin with it.
void complete_names(std::string_view begun, std::string_view sign, const std::vector<std::string>& names,
                    std::vector<std::string>& out) {
    const auto space = begun.find_last_of(" \t");
    for (const auto& name : names) {
        if (!std::string_view{name}.starts_with(begun)) continue;
        out.push_back(space == std::string_view::npos ? std::string{sign} + name : name.substr(space + 1));
    }
}

/// The words, other than names, that may end what this command takes.
[[nodiscard]] std::span<const std::string_view> words_of(std::string_view command) {
    if (command == "/presence") return presence_words;
    if (command == "/direct") return direct_words;
    if (command == "/verify" || command == "/block") return confirm_words;
    return {};
}

}  // namespace

std::span<const CommandHelp> command_help() {
    return help;
}

Command read_line(std::string_view line) {
    auto text = trimmed(line);
    if (text.empty()) return Nothing{};
    if (text.starts_with('@') && text.size() > 1 && !blank(text[1]))
        return Write{std::string{text.substr(1)}};
    if (!text.starts_with('/') || text.contains('\n')) return Say{std::string{text}};
    if (text.starts_with("//")) return Say{std::string{text.substr(1)}};
    const auto word = next_word(text);
    const auto name = word.size() > 1 ? full_name(word) : std::string_view{};
    if (name.empty())
        return mistake("There is no command " + std::string{word} +
                       "; /help lists them, and // begins a message with a slash.");
    return read_command(name, text);
}

Addressed addressed(std::string_view rest, std::span<const std::string> names) {
    constexpr std::string_view marks = ":,";
    // What stands behind the name, if the name may end here.
    const auto behind = [&](std::size_t size) -> std::optional<std::string_view> {
        auto text = rest.substr(size);
        if (!text.empty() && marks.contains(text.front())) text.remove_prefix(1);
        if (!text.empty() && !blank(text.front())) return std::nullopt;
        return trimmed(text);
    };
    std::optional<Addressed> found;
    for (const auto& name : names) {
        if (!rest.starts_with(name) || (found && found->whom.size() >= name.size())) continue;
        if (const auto text = behind(name.size())) found = {.whom = name, .text = std::string{*text}};
    }
    if (found) return *found;
    auto text = rest;
    auto word = next_word(text);
    if (word.size() > 1 && marks.contains(word.back())) word.remove_suffix(1);
    return {.whom = std::string{word}, .text = std::string{text}};
}

std::vector<std::string> completions(std::string_view line, const std::vector<std::string>& names) {
    std::vector<std::string> out;
    if (line.starts_with('@')) {
        complete_names(line.substr(1), "@", names, out);
        return out;
    }
    if (!line.starts_with('/')) return out;
    const auto space = line.find_first_of(" \t");
    if (space == std::string_view::npos) {
        for (const auto& one : help)
            if (one.name.starts_with(line)) out.emplace_back(one.name);
        for (const auto& one : learnt_elsewhere)
            if (one.starts_with(line)) out.emplace_back(one);
        return out;
    }
    const auto command = full_name(line.substr(0, space));
    auto begun = line.substr(space);
    while (!begun.empty() && blank(begun.front())) begun.remove_prefix(1);
    if (command == "/search" && begun.starts_with('@'))
        complete_names(begun.substr(1), "@", names, out);
    else if (std::ranges::find(take_names, command) != take_names.end())
        complete_names(begun, "", names, out);
    const auto last = begun.find_last_of(" \t");
    const auto word = last == std::string_view::npos ? begun : begun.substr(last + 1);
    // They end what a name may begin; a status comes first, and a text behind it.
    if (last == std::string_view::npos || command != "/presence")
        for (const auto& one : words_of(command))
            if (one.starts_with(word)) out.emplace_back(one);
    return out;
}

}  // namespace sotto::chat
