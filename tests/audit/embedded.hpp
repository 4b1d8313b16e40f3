// Files that are part of the program, put there by CMake.
#pragma once

#include <string_view>

namespace sotto::audit::embedded {

[[nodiscard]] std::string_view threat_model();
[[nodiscard]] std::string_view suppressions();
[[nodiscard]] std::string_view style();  ///< of the page
[[nodiscard]] std::string_view build();  ///< compiler and kind of build

}  // namespace sotto::audit::embedded
