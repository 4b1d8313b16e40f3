// The log: standard error, as text or as one JSON object a line.
#pragma once

#include <string>

#include "keyserver/app/config.hpp"

namespace sotto::keyserver {

/// Of the whole process; may be called again.
void set_up_log(const std::string& level, LogFormat format);

}  // namespace sotto::keyserver
