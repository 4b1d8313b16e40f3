// How a single vector of each kind is judged.
#pragma once

#include <nlohmann/json.hpp>

#include "sotto/crypto/bytes.hpp"

namespace sotto::audit {

/// Nothing if the library behaves as the vector wants; otherwise what was wrong.
using Judge = std::string (*)(const nlohmann::json& group, const nlohmann::json& test);

struct Kind {
    std::string_view algorithm;  ///< as the file names it
    std::string_view schema;
    Judge judge;
    std::string_view function;  ///< what is called
    std::string_view note;      ///< how `acceptable` is read, or what is not run
};

[[nodiscard]] const Kind* kind_of(std::string_view algorithm, std::string_view schema);

/// One vector of the X-Wing draft.
[[nodiscard]] std::string judge_xwing(const nlohmann::json& test);

}  // namespace sotto::audit
