#include "report.hpp"
namespace sotto::audit {
std::string as_html(const Report&) {
    return {};
}
}  // namespace sotto::audit
