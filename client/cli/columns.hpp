// How wide text is on a terminal, and lines that fit there. What is wide is the locale's to say
// (`use_locale`).
#pragma once

#include <string>
#include <string_view>

namespace sotto::cli {

/// Characters as the environment has them; UTF-8 where it has nothing but ASCII. Before there are threads.
void use_locale();

// UTF-8, whatever the locale. What is none is one U+FFFD.
[[nodiscard]] std::wstring widen(std::string_view text);
[[nodiscard]] std::string narrow(std::wstring_view text);

/// Columns that text without line feeds takes at the least; ours are the only escapes in it, and take none.
[[nodiscard]] int columns_of(std::string_view text);
/// With blanks up to this width.
[[nodiscard]] std::string padded(std::string text, int columns);

/// Of the terminal that standard output is; 80 where it says nothing.
[[nodiscard]] int terminal_columns();

/// Breaks lines before the last of so many columns, between words where it can. What follows a break is
/// indented by four, and so are lines that a text has of its own (the caller's): nothing that comes from
/// somebody else begins where names and times stand. Where it isn't known how wide a terminal will show
/// something, it counts as wider.
[[nodiscard]] std::string wrapped(std::string_view text, int columns);

/// For where nobody knows how wide a line may be: runs of more than 16 blanks, of whatever kind, are told of
/// as "<40 blanks>", so that none of them can push what follows to the beginning of a row.
[[nodiscard]] std::string with_short_blanks(std::string_view text);

/// Rows below the first of the place behind `text`, in front of `next` (0: nothing), as libedit lays it out.
[[nodiscard]] int rows_below(std::wstring_view text, wchar_t next, int columns);

}  // namespace sotto::cli
