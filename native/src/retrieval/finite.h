// Descriptors that come from callers are checked once: NaN and infinity have no place in a ranking,
// and a bound on the magnitude keeps every score of every metric finite.
#pragma once

#include <cstdint>

namespace mirror {

class Backend;

// Large enough for any descriptor, small enough that sums of 4096 x 65536 products stay below
// float's maximum.
inline constexpr float kMaxMagnitude = 1e14f;

// INVALID_ARGUMENT "<what> image i, region r holds v at d" (regions >= 1) or "<what> row i holds v
// at d" (regions = 0) for the first value of rows [count, max(regions, 1), dim] that is NaN or
// beyond +-kMaxMagnitude.
// Rows in the device's memory are searched there.
void require_finite(const Backend& backend,
                    const float* rows,
                    int64_t count,
                    int regions,
                    int dim,
                    const char* what);

}  // namespace mirror
