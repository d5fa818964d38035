// The regions of a feature map: for every step a grid of windows that overlap, the original's
// (_rmac) or one whose number of windows does not depend on the map. Also what the options of
// regional pooling admit.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "mirror/mirror.h"

namespace mirror {

// Regions of a map of h x w cells, step after step, row-major within a step; the two axes are laid
// out independently, as mirror_region_layout says. INVALID_ARGUMENT where a value is out of range
// or every step is skipped at this size.
std::vector<mirror_region> region_layout(int h, int w, int32_t fit, std::span<const int32_t> steps);

// INVALID_ARGUMENT naming the value: fit is no MIRROR_FIT_*; pool is no MIRROR_POOL_*, or is GEM
// and gem_p not in 1..32.
void require_fit(int32_t fit);
void require_pooling(int32_t pool, float gem_p);

}  // namespace mirror
