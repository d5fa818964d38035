// Checks an image that a host passes in, before anything reads its pixels.
#pragma once

#include <string>

#include "mirror/mirror.h"

namespace mirror {

// INVALID_ARGUMENT naming `name`, the field and its value.
void check_image(const mirror_image& image, const std::string& name);

}  // namespace mirror
