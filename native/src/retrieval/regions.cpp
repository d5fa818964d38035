#include "retrieval/regions.h"

#include <string>

#include "base/error.h"

namespace mirror {
namespace {

constexpr int kMaxSide = 65535;
constexpr int64_t kMaxRegions = 65536;

struct Axis {
    int kernel, stride, count;
};

// Integer division as in Python 2, where the original ran. kernel < 1: the map is too small for the
// step.
Axis axis(int side, int step) {
    if (step == 1) return {side, 1, 1};
    const int kernel = side / (step + 1) * 2;
    if (kernel < 1) return {0, 0, 0};
    const int stride = (side - kernel) / (step - 1);
    return {kernel, stride, (side - kernel) / stride + 1};
}

}  // namespace

std::vector<mirror_region> region_layout(int h, int w, std::span<const int32_t> steps) {
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
        const Axis rows = axis(h, step), columns = axis(w, step);
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
                    {step, y * rows.stride, x * columns.stride, rows.kernel, columns.kernel});
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
