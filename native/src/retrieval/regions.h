// The original's region grid (_rmac): for every step, square-ish windows that overlap and cover the
// map.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "mirror/mirror.h"

namespace mirror {

// Regions of a map of h x w cells, step after step, row-major within a step; the two axes are laid
// out independently. INVALID_ARGUMENT where a value is out of range or every step is skipped at
// this size.
std::vector<mirror_region> region_layout(int h, int w, std::span<const int32_t> steps);

}  // namespace mirror
