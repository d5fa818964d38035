#include "retrieval/finite.h"

#include <algorithm>
#include <cmath>

#include "backend/backend.h"
#include "base/error.h"

namespace mirror {

// Whole blocks are tested without a branch per value.
int64_t find_beyond(const Backend& backend, const float* x, int64_t count, float limit) {
    if (backend.on_device(x)) return backend.find_beyond(x, count, limit);
    constexpr int64_t kBlock = 4096;
    for (int64_t begin = 0; begin < count; begin += kBlock) {
        const int64_t end = std::min(begin + kBlock, count);
        int bad = 0;
        for (int64_t i = begin; i < end; ++i) bad |= !(std::fabs(x[i]) <= limit);
        if (!bad) continue;
        for (int64_t i = begin; i < end; ++i)
            if (!(std::fabs(x[i]) <= limit)) return i;
    }
    return -1;
}

void require_finite(const Backend& backend,
                    const float* rows,
                    int64_t count,
                    int regions,
                    int dim,
                    const char* what,
                    float limit) {
    const int64_t total = count * std::max(regions, 1) * dim;
    const int64_t at = find_beyond(backend, rows, total, limit);
    if (at < 0) return;
    const int64_t row = at / dim;
    const std::string place =
        regions > 0 ? text("image ", row / regions, ", region ", row % regions) : text("row ", row);
    fail(MIRROR_E_INVALID_ARGUMENT,
         what,
         ' ',
         place,
         " holds ",
         backend.value(rows + at),
         " at ",
         at % dim,
         ", expected finite values within +-",
         limit,
         limit == kMaxHalf
             ? ", the largest of half precision (an index of precision 0, fp32, takes more)"
             : "");
}

}  // namespace mirror
