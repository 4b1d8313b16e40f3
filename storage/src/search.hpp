#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace sotto::storage::detail {

/// FTS5's time grows with the square of the number of words: those beyond are left out.
inline constexpr std::size_t max_search_words = 64;

/// A person's words as an FTS5 expression that asks for all of them: each in double quotes, so that none is
/// an operator, a column or a prefix. Empty if there is no word.
[[nodiscard]] std::string match_expression(std::string_view words);

}  // namespace sotto::storage::detail
