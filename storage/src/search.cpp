#include "search.hpp"

namespace sotto::storage::detail {

std::string match_expression(std::string_view words) {
    // FTS5 reads its expression up to the first zero byte, so that one parts words like a space.
    constexpr std::string_view between{" \t\r\n\v\f\0", 7};
    std::string expression;
    for (std::size_t count = 0; count < max_search_words; ++count) {
        const auto begin = words.find_first_not_of(between);
        if (begin == std::string_view::npos) break;
        words.remove_prefix(begin);
        const auto word = words.substr(0, words.find_first_of(between));
        words.remove_prefix(word.size());
        expression += expression.empty() ? "\"" : " \"";
        for (const char c : word) expression.append(c == '"' ? 2 : 1, c);
        expression += '"';
    }
    return expression;
}

}  // namespace sotto::storage::detail
