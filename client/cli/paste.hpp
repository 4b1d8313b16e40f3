// What was pasted into the line that is being typed: text, whatever it looks like.
#pragma once

#include <string>
#include <string_view>

namespace sotto::cli {

/// Stands for a line break in the line that is being typed, which is one line.
inline constexpr wchar_t break_mark = L'\u2424';

// Between these a terminal sends what is pasted, once it was asked to.
inline constexpr std::string_view ask_for_pastes = "\x1b[?2004h";
inline constexpr std::string_view no_more_pastes = "\x1b[?2004l";
inline constexpr std::wstring_view paste_begins = L"\x1b[200~";
inline constexpr std::string_view paste_ends = "\x1b[201~";

/// As it goes into the line: breaks as marks, those at its end left out, and no other control character than
/// the tab.
[[nodiscard]] std::wstring pasted(std::string_view bytes);

/// A line as it was meant: marks are breaks.
[[nodiscard]] std::string unmarked(std::wstring_view line);

}  // namespace sotto::cli
