// Regional pooling: [n, h, w, c] maps to [regions, c] vectors. Channels are contiguous, so a block
// of them is pooled for all regions while its slice of the map (h * w * block floats) stays in the
// second-level cache.
#include <algorithm>
#include <cmath>
#include <limits>

#include "backend/cpu/cpu_backend.h"
#include "backend/cpu/simd.h"

namespace mirror {
namespace {

constexpr int kBlock = 64;  // channels; 28 x 28 cells of them are 200 KB

MIRROR_SIMD void pool_max(
    const float* map, int w, int c, const mirror_region& region, int block, float* out) {
    float best[kBlock];
    std::fill_n(best, kBlock, -std::numeric_limits<float>::infinity());
    for (int y = region.y; y < region.y + region.height; ++y) {
        const float* cell = map + (static_cast<int64_t>(y) * w + region.x) * c;
        for (int x = 0; x < region.width; ++x, cell += c)
            for (int i = 0; i < block; ++i) best[i] = cell[i] > best[i] ? cell[i] : best[i];
    }
    std::copy_n(best, block, out);
}

// Sums of x or x^2 in double: exact enough for any map, and memory-bound all the same.
MIRROR_SIMD void pool_mean(const float* map,
                           int w,
                           int c,
                           const mirror_region& region,
                           int block,
                           bool square,
                           float* out) {
    double sums[kBlock] = {};
    for (int y = region.y; y < region.y + region.height; ++y) {
        const float* cell = map + (static_cast<int64_t>(y) * w + region.x) * c;
        for (int x = 0; x < region.width; ++x, cell += c) {
            if (square)
                for (int i = 0; i < block; ++i) sums[i] += static_cast<double>(cell[i]) * cell[i];
            else
                for (int i = 0; i < block; ++i) sums[i] += cell[i];
        }
    }
    const double cells = static_cast<double>(region.height) * region.width;
    for (int i = 0; i < block; ++i) {
        const double mean = sums[i] / cells;
        out[i] = static_cast<float>(square ? std::sqrt(mean) : mean);
    }
}

// values[i] = values[i]^p, p >= 1; a whole p by squaring.
MIRROR_SIMD void raise(double* values, int count, float p) {
    auto rest = static_cast<unsigned>(p);
    if (static_cast<float>(rest) != p) {
        for (int i = 0; i < count; ++i) values[i] = std::pow(values[i], static_cast<double>(p));
        return;
    }
    double square[kBlock];
    std::copy_n(values, count, square);
    std::fill_n(values, count, 1.0);
    for (;;) {
        if (rest % 2 == 1)
            for (int i = 0; i < count; ++i) values[i] *= square[i];
        if ((rest /= 2) == 0) return;
        for (int i = 0; i < count; ++i) square[i] *= square[i];
    }
}

// Powers of x / the region's largest x: none exceeds 1, so no p and no activation overflows, and
// what underflows is nothing beside the largest. NaN reaches the result, as in a mean.
MIRROR_SIMD void pool_gem(
    const float* map, int w, int c, const mirror_region& region, int block, float p, float* out) {
    constexpr float least = 1e-6f;
    double largest[kBlock], inverse[kBlock], powers[kBlock], sums[kBlock] = {};
    pool_max(map, w, c, region, block, out);
    for (int i = 0; i < block; ++i) {
        largest[i] = out[i] < least ? least : out[i];
        inverse[i] = 1 / largest[i];
    }
    for (int y = region.y; y < region.y + region.height; ++y) {
        const float* cell = map + (static_cast<int64_t>(y) * w + region.x) * c;
        for (int x = 0; x < region.width; ++x, cell += c) {
            for (int i = 0; i < block; ++i)
                powers[i] = (cell[i] < least ? least : cell[i]) * inverse[i];
            raise(powers, block, p);
            for (int i = 0; i < block; ++i) sums[i] += powers[i];
        }
    }
    const double cells = static_cast<double>(region.height) * region.width;
    for (int i = 0; i < block; ++i)
        out[i] = static_cast<float>(largest[i] * std::pow(sums[i] / cells, 1.0 / p));
}

}  // namespace

void CpuBackend::region_pool(const float* maps,
                             int n,
                             int h,
                             int w,
                             int c,
                             std::span<const mirror_region> regions,
                             int32_t pool,
                             float gem_p,
                             float* out,
                             int64_t out_stride) {
    const ThreadScope scope(threads_);
    const int64_t blocks = (static_cast<int64_t>(c) + kBlock - 1) / kBlock;
    const int64_t map_size = static_cast<int64_t>(h) * w * c;
#pragma omp parallel for collapse(2) schedule(static)
    for (int image = 0; image < n; ++image) {
        for (int64_t b = 0; b < blocks; ++b) {
            const int64_t first = b * kBlock;
            const int block = static_cast<int>(std::min<int64_t>(kBlock, c - first));
            const float* map = maps + image * map_size + first;
            float* target = out + image * out_stride + first;
            for (const mirror_region& region : regions) {
                if (pool == MIRROR_POOL_MAX)
                    pool_max(map, w, c, region, block, target);
                else if (pool == MIRROR_POOL_GEM)
                    pool_gem(map, w, c, region, block, gem_p, target);
                else
                    pool_mean(map, w, c, region, block, pool == MIRROR_POOL_L2, target);
                target += c;
            }
        }
    }
}

}  // namespace mirror
