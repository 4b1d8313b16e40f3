#include "chat_lines.hpp"

#include "output.hpp"

namespace sotto::cli {
namespace {

using Kind = chat::Line::Kind;

constexpr std::string_view bold = "1";
constexpr std::string_view dim = "2";
constexpr std::string_view red = "31";
constexpr std::string_view yellow = "33";

/// "17:05" of today and other days alike: the day stands in `sotto history`.
[[nodiscard]] std::string clock_time(std::int64_t at) {
    const auto whole = local_time(at);
    const auto space = whole.rfind(' ');
    return space == std::string::npos ? whole : whole.substr(space + 1);
}

class Painter {
  public:
    explicit Painter(bool colours) : colours_(colours) {}
    [[nodiscard]] std::string paint(std::string_view code, std::string text) const {
        if (!colours_) return text;
        return "\x1b[" + std::string{code} + "m" + text + "\x1b[0m";
    }

  private:
    bool colours_;
};

}  // namespace

std::string rendered(const chat::Line& line, const ChatStyle& style) {
    const Painter with{style.colours};
    const auto time = line.at == 0 ? std::string{} : clock_time(line.at) + " ";
    const auto number = "#" + std::to_string(line.number);
    const auto mark = line.verified ? std::string{} : with.paint(yellow, " (not verified)");
    switch (line.kind) {
        case Kind::theirs:
            return time + with.paint(bold, line.name) + mark + ": " + line.text + "\n";
        case Kind::ours:
            if (style.echoed && line.typed)
                return with.paint(dim, "   " + number + " to " + line.name) + "\n";
            return time + "me to " + line.name + " " + number + ": " + line.text + "\n";
        case Kind::progress:
            return with.paint(dim, "   " + number + " " + line.text) + "\n";
        case Kind::presence:
            return with.paint(dim, time + "-- " + line.name + " is " + line.text) + "\n";
        case Kind::path:
            return with.paint(dim, time + "-- " + line.name + ": " + line.text) + "\n";
        case Kind::elsewhere:
            return time + "-- " + with.paint(bold, line.name) + mark + ": " + line.text + ", /switch " +
                   line.name + "\n";
        case Kind::warning:
            return with.paint(red, "!! " + line.text) + "\n";
        case Kind::mistake:
            return with.paint(yellow, "?? " + line.text) + "\n";
        case Kind::info:
            break;
    }
    return "   " + line.text + "\n";
}

}  // namespace sotto::cli
