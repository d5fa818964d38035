// Logging goes to the host's callback and nowhere else; silent until one is set.
#pragma once

#include <string>

#include "mirror/mirror.h"

namespace mirror {

void set_log(mirror_log_fn callback, void* user_data);
void log(int32_t level, const std::string& message);

}  // namespace mirror
