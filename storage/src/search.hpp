#pragma once

#include <string>
#include <string_view>

namespace sotto::storage::detail {

/// A person's words as an FTS5 expression that asks for all of them: each in double quotes, so that none is
/// an operator, a column or a prefix. Empty if there is no word.
[[nodiscard]] std::string match_expression(std::string_view words);

}  // namespace sotto::storage::detail
