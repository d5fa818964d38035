#include "retrieval/finite.h"

#include <algorithm>
#include <cmath>

#include "backend/backend.h"
#include "base/error.h"

namespace mirror {
namespace {

// The first bad value in [begin, end), or end. Whole blocks are tested without a branch per value.
int64_t first_bad(const float* x, int64_t count) {
    constexpr int64_t kBlock = 4096;
    for (int64_t begin = 0; begin < count; begin += kBlock) {
        const int64_t end = std::min(begin + kBlock, count);
        int bad = 0;
        for (int64_t i = begin; i < end; ++i) bad |= !(std::fabs(x[i]) <= kMaxMagnitude);
        if (!bad) continue;
        for (int64_t i = begin; i < end; ++i)
            if (!(std::fabs(x[i]) <= kMaxMagnitude)) return i;
    }
    return count;
}

}  // namespace

void require_finite(const Backend& backend,
                    const float* rows,
                    int64_t count,
                    int regions,
                    int dim,
                    const char* what) {
    const int64_t total = count * std::max(regions, 1) * dim;
    const bool remote = backend.on_device(rows);
    const int64_t at =
        remote ? backend.find_beyond(rows, total, kMaxMagnitude) : first_bad(rows, total);
    if (at == total || at < 0) return;
    const int64_t row = at / dim;
    const std::string place =
        regions > 0 ? text("image ", row / regions, ", region ", row % regions) : text("row ", row);
    fail(MIRROR_E_INVALID_ARGUMENT,
         what,
         ' ',
         place,
         " holds ",
         remote ? text("a value not allowed") : text(rows[at]),
         " at ",
         at % dim,
         ", expected finite values within +-",
         kMaxMagnitude);
}

}  // namespace mirror
