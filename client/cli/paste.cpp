#include "paste.hpp"

#include <algorithm>

#include "columns.hpp"

namespace sotto::cli {

std::wstring pasted(std::string_view bytes) {
    while (!bytes.empty() && (bytes.back() == '\n' || bytes.back() == '\r')) bytes.remove_suffix(1);
    std::wstring out;
    wchar_t before = 0;
    for (const wchar_t c : widen(bytes)) {
        const bool ends_one = c == L'\r' || c == L'\n';
        if (ends_one && !(c == L'\n' && before == L'\r')) out += break_mark;
        if (c == L'\t' || (c >= L' ' && (c < 0x7F || c > 0x9F))) out += c;
        before = c;
    }
    return out;
}

std::string unmarked(std::wstring_view line) {
    std::wstring out{line};
    std::ranges::replace(out, break_mark, L'\n');
    return narrow(out);
}

}  // namespace sotto::cli
