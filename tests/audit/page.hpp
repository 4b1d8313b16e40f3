// Pieces of the page.
#pragma once

#include "report.hpp"

namespace sotto::audit::page {

/// Text that stands in HTML as it is.
[[nodiscard]] std::string escaped(std::string_view text);
/// 12345 as 12,345.
[[nodiscard]] std::string grouped(std::uint64_t number);
/// The outcome as a small mark with its word.
[[nodiscard]] std::string badge(Outcome outcome);

// Figures, as inline SVG whose colours come from the page's style; empty if there is nothing to draw.
[[nodiscard]] std::string groups_figure(const Report& report);
[[nodiscard]] std::string attacks_figure(const Report& report);
[[nodiscard]] std::string files_figure(const Report& report);
[[nodiscard]] std::string sizes_figure(const Report& report);
[[nodiscard]] std::string bytes_figure(const Report& report);

}  // namespace sotto::audit::page
