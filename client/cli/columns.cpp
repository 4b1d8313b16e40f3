#include "columns.hpp"

#include <langinfo.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <clocale>
#include <cstdint>
#include <cwchar>
#include <tuple>
#include <utility>

#include "sotto/protocol/text.hpp"

namespace sotto::cli {
namespace {

constexpr int indent_columns = 4;
constexpr int narrowest = 20;
constexpr std::size_t most_blanks = 16;
constexpr int tab_stop = 8;

constexpr wchar_t replacement = L'\uFFFD';
constexpr wchar_t joiner = L'\u200D';
constexpr wchar_t emoji_style = L'\uFE0F';

/// As wide as a terminal may show it.
[[nodiscard]] int width_of(wchar_t c) {
    if (c == emoji_style) return 1;            // makes a narrow one wide, on some
    if (c >= 0x1160 && c <= 0x11FF) return 1;  // vowels and ends of Hangul, where they are not joined
    const int width = ::wcwidth(c);
    if (c >= 0x1F000) return std::max(width, 2);  // pictographs, some of them newer than the locale
    return width < 0 ? 2 : width;
}

[[nodiscard]] bool is_blank(wchar_t c) {
    return c == L' ' || c == L'\t' || c == 0x00A0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) ||
           c == 0x202F || c == 0x205F || c == 0x3000;
}

/// Belongs to what stands before it.
[[nodiscard]] bool continues(wchar_t before, wchar_t c) {
    if (before == joiner || c == joiner || c == emoji_style) return true;
    if (c >= 0x1F3FB && c <= 0x1F3FF) return true;  // skin tones
    return c != L'\n' && ::wcwidth(c) == 0;
}

/// Columns that libedit takes for what can't be printed: ^X, or \U+XXXX.
[[nodiscard]] int shown_as(wchar_t c) {
    if (c < 0x100) return 2;
    return c <= 0xFFFF ? 7 : 8;
}

/// The end of an escape that begins here, or of the one character.
[[nodiscard]] std::size_t behind_escape(std::wstring_view text, std::size_t at) {
    if (text[at] != L'\x1b') return at;
    const auto end = text.find(L'm', at);
    return end == std::wstring_view::npos ? text.size() : end + 1;
}

/// One line of ours or of a text, as it grows.
class Wrapper {
  public:
    explicit Wrapper(int columns) : limit_(columns) {}
    void feed() {
        out_ += L'\n';
        column_ = 0;
        may_break_ = 0;
        full_ = false;
    }
    /// Takes no room.
    void add_escape(std::wstring_view text) { out_ += text; }
    void add_blank(wchar_t c) {
        const int width = c == L'\t' ? indent_columns : std::max(1, width_of(c));
        full_ = full_ || column_ + width > limit_;
        if (full_) return;  // what else the run has is not shown
        out_.append(c == L'\t' ? std::wstring(indent_columns, L' ') : std::wstring(1, c));
        column_ += width;
        if (column_ > indent_columns) {
            may_break_ = out_.size();
            after_break_ = column_;
        }
    }
    void add(std::wstring_view cluster, int width) {
        if (full_) {
            break_here();
        } else if (column_ + width > limit_ && column_ > indent_columns) {
            if (may_break_ > 0 && indent_columns + (column_ - after_break_) + width <= limit_)
                break_at(may_break_);
            else
                break_here();
        }
        full_ = false;
        out_ += cluster;
        column_ += width;
    }
    [[nodiscard]] std::wstring take() { return std::move(out_); }

  private:
    void break_here() {
        out_ += L"\n    ";
        column_ = indent_columns;
        may_break_ = 0;
    }
    void break_at(std::size_t at) {
        out_.insert(at, L"\n    ");
        column_ = indent_columns + (column_ - after_break_);
        may_break_ = 0;
    }
    int limit_;
    std::wstring out_;
    int column_ = 0;
    std::size_t may_break_ = 0;  ///< behind the last blank of this row; 0: nowhere
    int after_break_ = 0;        ///< the column there
    bool full_ = false;          ///< a run of blanks has filled the row
};

}  // namespace

void use_locale() {
    // NOLINTBEGIN(concurrency-mt-unsafe): nobody else runs yet
    std::ignore = std::setlocale(LC_CTYPE, "");
    if (std::string_view{::nl_langinfo(CODESET)} == "ANSI_X3.4-1968")
        std::ignore = std::setlocale(LC_CTYPE, "C.UTF-8");
    // NOLINTEND(concurrency-mt-unsafe)
}

std::string narrow(std::wstring_view text) {
    std::string out;
    const auto put = [&out](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
    for (const wchar_t c : text) {
        const auto code = std::bit_cast<std::uint32_t>(c);
        if (code < 0x80) {
            put(code);
        } else if (code < 0x800) {
            put(0xC0U | (code >> 6U));
            put(0x80U | (code & 0x3FU));
        } else if (code < 0x10000) {
            put(0xE0U | (code >> 12U));
            put(0x80U | ((code >> 6U) & 0x3FU));
            put(0x80U | (code & 0x3FU));
        } else {
            put(0xF0U | (code >> 18U));
            put(0x80U | ((code >> 12U) & 0x3FU));
            put(0x80U | ((code >> 6U) & 0x3FU));
            put(0x80U | (code & 0x3FU));
        }
    }
    return out;
}

std::wstring widen(std::string_view text) {
    if (!protocol::valid_utf8(text)) return {replacement};
    std::wstring out;
    for (const char byte : text) {
        const auto value = static_cast<std::uint32_t>(static_cast<unsigned char>(byte));
        if (value < 0x80)
            out += static_cast<wchar_t>(value);
        else if (value >= 0xF0)
            out += static_cast<wchar_t>(value & 0x07U);
        else if (value >= 0xE0)
            out += static_cast<wchar_t>(value & 0x0FU);
        else if (value >= 0xC0)
            out += static_cast<wchar_t>(value & 0x1FU);
        else
            out.back() =
                static_cast<wchar_t>((static_cast<std::uint32_t>(out.back()) << 6U) | (value & 0x3FU));
    }
    return out;
}

int columns_of(std::string_view text) {
    int out = 0;
    const auto wide = widen(text);
    for (std::size_t at = 0; at < wide.size(); ++at) {
        const auto behind = behind_escape(wide, at);
        if (behind > at)
            at = behind - 1;
        else
            out += std::max(0, ::wcwidth(wide[at]));
    }
    return out;
}

std::string padded(std::string text, int columns) {
    const auto wide = columns_of(text);
    if (wide < columns) text.append(static_cast<std::size_t>(columns - wide), ' ');
    return text;
}

int terminal_columns() {
    winsize size{};
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-vararg): the system's own
    return ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

std::string wrapped(std::string_view text, int columns) {
    const auto wide = widen(text);
    const int limit = std::max(columns, narrowest) - 1;
    Wrapper row{limit};
    for (std::size_t at = 0; at < wide.size();) {
        if (const auto behind = behind_escape(wide, at); behind > at) {
            row.add_escape(std::wstring_view{wide}.substr(at, behind - at));
            at = behind;
        } else if (wide[at] == L'\n') {
            row.feed();
            ++at;
        } else if (is_blank(wide[at])) {
            row.add_blank(wide[at]);
            ++at;
        } else {
            auto end = at + 1;
            int width = width_of(wide[at]);
            while (end < wide.size() && continues(wide[end - 1], wide[end])) {
                const int more = width_of(wide[end]);
                if (width + more > limit - indent_columns) break;
                width += more;
                ++end;
            }
            row.add(std::wstring_view{wide}.substr(at, end - at), width);
            at = end;
        }
    }
    return narrow(row.take());
}

std::string with_short_blanks(std::string_view text) {
    const auto wide = widen(text);
    std::wstring out;
    for (std::size_t at = 0; at < wide.size();) {
        auto end = at;
        while (end < wide.size() && wide[end] != L'\n' && is_blank(wide[end])) ++end;
        if (end - at > most_blanks)
            out += widen("<" + std::to_string(end - at) + " blanks>");
        else if (end > at)
            out.append(wide, at, end - at);
        else
            out += wide[end++];
        at = end;
    }
    return narrow(out);
}

int rows_below(std::wstring_view text, wchar_t next, int columns) {
    int row = 0;
    int column = 0;
    const auto put = [&](int width) {
        if (column + width > columns) {
            ++row;
            column = 0;
        }
        column += width;
        if (column >= columns) {
            ++row;
            column = 0;
        }
    };
    for (const wchar_t c : text) {
        int width = ::wcwidth(c);
        int times = 1;
        if (c == L'\t') {
            times = tab_stop - column % tab_stop;
            width = 1;
        } else if (width < 0) {
            times = shown_as(c);
            width = 1;
        }
        for (; times > 0; --times) put(width);
    }
    const int width = next == 0 ? 0 : ::wcwidth(next);
    return width > 1 && column + width > columns ? row + 1 : row;
}

}  // namespace sotto::cli
