#include "retrieval/regions.h"

#include <algorithm>
#include <string>

#include "base/error.h"

namespace mirror {
namespace {

constexpr int kMaxSide = 65535;
constexpr int64_t kMaxRegions = 65536;

constexpr float kMaxGemPower = 32;

// The windows of one axis: count of them, kernel cells each, one every scale / divisor cells.
struct Axis {
    int kernel, count;
    int64_t scale, offset, divisor;
    int start(int i) const { return static_cast<int>((i * scale + offset) / divisor); }
};

// Integer division as in Python 2, where the original ran. kernel < 1: the map is too small for the
// step.
Axis crop_axis(int side, int step) {
    const int kernel = side / (step + 1) * 2;
    if (kernel < 1) return {};
    const int stride = (side - kernel) / (step - 1);
    return {kernel, (side - kernel) / stride + 1, stride, 0, 1};
}

// (2a + d - 1) / 2d is a / d to the nearest integer, exact halves down. At least side / step cells,
// so that the windows leave none out.
Axis whole_axis(int side, int step) {
    const int kernel = std::max((side - 1) / step + 1, side / (step + 1) * 2), gaps = step - 1;
    return {kernel, step, int64_t{2} * (side - kernel), gaps - 1, int64_t{2} * gaps};
}

Axis axis(int side, int step, int32_t fit) {
    if (step == 1) return {side, 1, 0, 0, 1};
    return fit == MIRROR_FIT_WHOLE ? whole_axis(side, step) : crop_axis(side, step);
}

}  // namespace

void require_fit(int32_t fit) {
    require(fit == MIRROR_FIT_CROP || fit == MIRROR_FIT_WHOLE,
            "fit is ",
            fit,
            ", expected 0 (crop) or 1 (whole)");
}

void require_pooling(int32_t pool, float gem_p) {
    require(pool >= MIRROR_POOL_MAX && pool <= MIRROR_POOL_GEM,
            "pool is ",
            pool,
            ", expected 0 (max), 1 (avg), 2 (L2) or 3 (GeM)");
    require(pool != MIRROR_POOL_GEM || (gem_p >= 1 && gem_p <= kMaxGemPower),
            "gem_p is ",
            gem_p,
            ", expected 1..",
            kMaxGemPower);
}

std::vector<mirror_region> region_layout(int h,
                                         int w,
                                         int32_t fit,
                                         std::span<const int32_t> steps) {
    require_fit(fit);
    require(h >= 1 && h <= kMaxSide && w >= 1 && w <= kMaxSide,
            "map is ",
            h,
            " x ",
            w,
            " cells, expected 1..",
            kMaxSide);
    require(!steps.empty() && steps.size() <= MIRROR_MAX_STEPS,
            "step_count is ",
            steps.size(),
            ", expected 1..",
            MIRROR_MAX_STEPS);
    std::vector<mirror_region> regions;
    std::string listed;
    for (const int32_t step : steps) {
        require(step >= 1 && step < kMaxSide, "step is ", step, ", expected 1..", kMaxSide - 1);
        listed += text(listed.empty() ? "" : ", ", step);
        const Axis rows = axis(h, step, fit), columns = axis(w, step, fit);
        if (rows.kernel < 1 || columns.kernel < 1) continue;
        const int64_t total =
            static_cast<int64_t>(regions.size()) + static_cast<int64_t>(rows.count) * columns.count;
        require(total <= kMaxRegions,
                "step ",
                step,
                " gives ",
                total,
                " regions on a map of ",
                h,
                " x ",
                w,
                " cells, expected at most ",
                kMaxRegions);
        for (int y = 0; y < rows.count; ++y)
            for (int x = 0; x < columns.count; ++x)
                regions.push_back(
                    {step, rows.start(y), columns.start(x), rows.kernel, columns.kernel});
    }
    require(!regions.empty(),
            "a map of ",
            h,
            " x ",
            w,
            " cells is too small for every region step of {",
            listed,
            "}: add step 1 or use larger images");
    return regions;
}

}  // namespace mirror
