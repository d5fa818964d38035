// Descriptors that come from callers are checked once: NaN and infinity have no place in a ranking,
// and a bound on the magnitude keeps every score of every metric finite.
#pragma once

#include <cstdint>

namespace mirror {

class Backend;

// Large enough for any descriptor, small enough that sums of 4096 x 65536 products stay below
// float's maximum.
inline constexpr float kMaxMagnitude = 1e14f;
// The largest number of half precision.
inline constexpr float kMaxHalf = 65504;

// The first of x [count] that is NaN or beyond +-limit, -1: none. Searched where x lies.
int64_t find_beyond(const Backend& backend, const float* x, int64_t count, float limit);

// INVALID_ARGUMENT "<what> image i, region r holds v at d" (regions >= 1) or "<what> row i holds v
// at d" (regions = 0) for the first value of rows [count, max(regions, 1), dim] that is NaN or
// beyond +-limit.
void require_finite(const Backend& backend,
                    const float* rows,
                    int64_t count,
                    int regions,
                    int dim,
                    const char* what,
                    float limit = kMaxMagnitude);

}  // namespace mirror
