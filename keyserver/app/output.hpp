// Standard output of the commands.
#pragma once

#include <iostream>
#include <nlohmann/json.hpp>

namespace sotto::keyserver {

/// One line; what is no UTF-8 (it never should be there) is replaced, not thrown at the operator.
inline void print_json(const nlohmann::ordered_json& value) {
    std::cout << value.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << '\n'
              << std::flush;
}

}  // namespace sotto::keyserver
