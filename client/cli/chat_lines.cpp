#include "chat_lines.hpp"

#include <utility>

#include "columns.hpp"
#include "output.hpp"

namespace sotto::cli {
namespace {

using Kind = chat::Line::Kind;

constexpr std::string_view bold = "1";
constexpr std::string_view dim = "2";
constexpr std::string_view red = "31";
constexpr std::string_view yellow = "33";

[[nodiscard]] std::string clock_time(std::int64_t at) {
    const auto whole = local_time(at);
    const auto space = whole.rfind(' ');
    return space == std::string::npos ? whole : whole.substr(space + 1);
}

}  // namespace

ChatLines::ChatLines(const ChatStyle& style, std::int64_t now) : style_(style), day_(local_day(now)) {}

std::string ChatLines::paint(std::string_view code, const std::string& text) const {
    if (!style_.colours) return text;
    return "\x1b[" + std::string{code} + "m" + text + "\x1b[0m";
}

std::string ChatLines::render(const chat::Line& line, int columns) {
    std::string day;
    if (line.at != 0) {
        auto its_day = local_day(line.at);
        if (its_day != day_) day = paint(dim, "-- " + its_day) + "\n";
        day_ = std::move(its_day);
    }
    const auto text = one(line);
    return day + (style_.wrapped ? wrapped(text, columns) : with_short_blanks(text)) + "\n";
}

std::string ChatLines::one(const chat::Line& line) const {
    const auto time = line.at == 0 ? std::string{} : clock_time(line.at) + " ";
    const auto number = "#" + std::to_string(line.number);
    const auto mark = line.verified ? std::string{} : paint(yellow, " (not verified)");
    switch (line.kind) {
        case Kind::theirs:
            return time + paint(bold, line.name) + mark + ": " + line.text;
        case Kind::ours:
            if (style_.echoed && line.typed) return paint(dim, "   " + number + " to " + line.name);
            return time + "me to " + line.name + " " + number + ": " + line.text;
        case Kind::progress:
            return paint(dim, "   " + number + " " + line.text);
        case Kind::presence:
            return paint(dim, time + "-- " + line.name + " is " + line.text);
        case Kind::path:
            return paint(dim, time + "-- " + line.name + ": " + line.text);
        case Kind::elsewhere:
            return time + "-- " + paint(bold, line.name) + mark + ": " + line.text + ", /switch " + line.name;
        case Kind::warning:
            return paint(red, "!! " + line.text);
        case Kind::mistake:
            return paint(yellow, "?? " + line.text);
        case Kind::info:
            break;
    }
    return "   " + line.text;
}

}  // namespace sotto::cli
