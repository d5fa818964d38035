// Regional pooling: every region vector of every image in one launch (mirror_region_pool; R-MAC's first half).
//
//   y[image, region, c] = max | mean | sqrt(mean(x^2)) | mean(max(x, 1e-6)^p)^(1/p) over the region's cells,
//   float [count, c] per image
//   normalize: that vector / its L2 norm; a vector whose norm is 0 or NaN becomes zeros, as on the CPU
//
// A block owns one region of one image and 32 neighbouring vectors of channels (all channels when it normalises);
// its 8 warps take every eighth cell, which keeps 8 loads of a channel in flight where the map has few images:
//
//   x  cell 0   [warp 0: 32 lanes x 16 bytes]        shared: 8 partial results per channel -> one thread per channel
//      cell 1   [warp 1]                             -> y, consecutive floats, since c need not be a multiple of 4
//      ...
//      cell 8   [warp 0]
//
// The last, GeM, takes the maximum first and scales by a power of two that brings it to 1 <= t < 2: exact, and no power
// overflows. Its cells are read twice, the second time from L2. Within 2e-7 for a whole p, 6e-7 for any other.
//
// Sums are taken in double, as on the CPU. Neighbouring blocks are regions of the same slice of channels: the map
// comes from memory once and from L2 for the overlaps (six-fold for 35 regions). Floor for 22 x 22 x 2048 f16, 35
// regions: 2.0 MB read, 0.29 MB written, 0.53 us at 4.3 TB/s; 12 MB from L2.
#pragma once
#include "common/index.cuh"
#include "common/params.h"
#include "common/power.cuh"
#include "common/reduce.cuh"
#include "common/vec.cuh"
#include "pool/launch.h"

namespace region_pool {

constexpr int kMax = 0, kMean = 1, kL2 = 2, kGem = 3;
constexpr float kLeast = 1e-6f;  // GeM's epsilon

template <int Pool>
struct Partial {  // sums
    double value = 0;
    MIRROR_FN void add(float x) { value += Pool == kL2 ? double(x) * double(x) : double(x); }
    MIRROR_FN void join(double x) { value += x; }
    MIRROR_FN float result(double cells) const {
        const double mean = gpu::div(value, cells);
        return float(Pool == kL2 ? gpu::sqrt(mean) : mean);
    }
};
template <>
struct Partial<kMax> {  // NaN never wins
    float value = -__builtin_inff();
    MIRROR_FN void add(float x) { value = gpu::max_f32(value, x); }
    MIRROR_FN void join(double x) { add(float(x)); }
    MIRROR_FN float result(double) const { return value; }
};
template <>
struct Partial<kGem> {  // sums of (x * scale)^power; NaN reaches them
    double value = 0;
    float scale = 1, power = 1;
    MIRROR_FN void add(float x) { value += double(power_of((x < kLeast ? kLeast : x) * scale, power)); }
    MIRROR_FN void join(double x) { value += x; }
    MIRROR_FN float result(double cells) const {
        return float(gpu::div(root_of(gpu::div(value, cells), power), double(scale)));
    }
};

// 2^-floor(log2(largest)); 2^-126 for the largest floats, whose own power would be no normal number.
MIRROR_FN float scale_of(float largest) {
    const u32 exponent = gpu::float_bits(gpu::max_f32(largest, kLeast)) >> 23;
    return gpu::bits_float((exponent < 253 ? 254 - exponent : 1) << 23);
}

// The region's cells of the calling thread's group into partial[i] of channel c + i.
template <class T, int Pool>
MIRROR_FN void add_cells(
    const RegionPoolParams& p, const Region& region, const T* image, int c, Partial<Pool> (&partial)[Vec<T>::N]) {
    constexpr int V = Vec<T>::N;
    const int group = threadIdx.x / kRegionLanes;
    if (c < p.c) {  // x_pitch is at least c rounded up to V
        int x = group, y = 0;
        for (;; x += kRegionGroups) {
            while (x >= region.width) x -= region.width, ++y;
            if (y >= region.height) break;
            Vec<T> cell;
            cell.load(image + (i64(region.y + y) * p.w + region.x + x) * p.x_pitch + c);
#pragma unroll
            for (int i = 0; i < V; ++i) partial[i].add(cell.v[i]);
        }
    }
}

// Joins the groups' values into `total`, of channel threadIdx.x of the chunk.
template <int V, int Pool>
MIRROR_FN void join_groups(const Partial<Pool> (&partial)[V], Partial<Pool>& total) {
    constexpr int pitch = kRegionPitch<V>;
    auto* shared = reinterpret_cast<double*>(gpu::dynamic_smem());  // [group][V][pitch]
    const int lane = threadIdx.x % kRegionLanes, group = threadIdx.x / kRegionLanes;
#pragma unroll
    for (int i = 0; i < V; ++i) shared[(group * V + i) * pitch + lane] = double(partial[i].value);
    gpu::sync_block();
    if (int(threadIdx.x) < kRegionLanes * V)
#pragma unroll
        for (int g = 0; g < kRegionGroups; ++g)
            total.join(shared[(g * V + threadIdx.x % V) * pitch + threadIdx.x / V]);
    gpu::sync_block();  // the next chunk writes the same cells
}

// The region's vector of 32 * V channels from first_channel on; the calling thread gets channel threadIdx.x of it.
template <class T, int Pool>
MIRROR_FN float pool_chunk(const RegionPoolParams& p, const Region& region, const T* image, int first_channel) {
    constexpr int V = Vec<T>::N;
    const int lane = threadIdx.x % kRegionLanes;
    Partial<Pool> partial[V], total;
    if constexpr (Pool == kGem) {
        auto* scales = reinterpret_cast<float*>(gpu::dynamic_smem());  // of the chunk's channels
        total.power = p.gem_p, total.scale = scale_of(pool_chunk<T, kMax>(p, region, image, first_channel));
        if (int(threadIdx.x) < kRegionLanes * V) scales[threadIdx.x] = total.scale;
        gpu::sync_block();
#pragma unroll
        for (int i = 0; i < V; ++i) partial[i].power = p.gem_p, partial[i].scale = scales[lane * V + i];
        gpu::sync_block();  // the groups' sums go to the same cells
    }
    add_cells(p, region, image, first_channel + lane * V, partial);
    join_groups(partial, total);
    return total.result(double(region.width) * region.height);
}

template <class T, int Pool>
MIRROR_FN void pool_region(const RegionPoolParams& p) {
    constexpr int V = Vec<T>::N, chunk = kRegionLanes * V;  // channels
    i64 rest = blockIdx.x;
    const int index = split(rest, p.count);
    const int first = p.normalize ? 0 : split(rest, (p.c + chunk - 1) / chunk) * chunk;
    const int end = p.normalize ? p.c : first + chunk;
    const Region region = p.regions[index];
    const T* image = static_cast<const T*>(p.x) + rest * p.h * p.w * p.x_pitch;
    float* y = p.y + rest * p.y_image_stride + i64(index) * p.c;
    double squares = 0;
    for (int c = first; c < end; c += chunk) {
        const float value = pool_chunk<T, Pool>(p, region, image, c);
        const int channel = c + int(threadIdx.x);
        if (int(threadIdx.x) < chunk && channel < p.c) {
            y[channel] = value;
            squares += double(value) * double(value);
        }
    }
    if (!p.normalize) return;
    auto* sums = reinterpret_cast<double*>(gpu::dynamic_smem()) + kRegionGroups * V * kRegionPitch<V>;
    squares = warp_sum(squares);
    if (threadIdx.x % 32 == 0) sums[threadIdx.x / 32] = squares;
    gpu::sync_block();
    double total = 0;
#pragma unroll
    for (int g = 0; g < kRegionGroups; ++g) total += sums[g];
    const double scale = gpu::div(1.0, gpu::sqrt(total));
    for (int c = first; c < end; c += chunk) {  // every thread scales what it wrote
        const int channel = c + int(threadIdx.x);
        if (int(threadIdx.x) < chunk && channel < p.c) y[channel] = total > 0 ? float(y[channel] * scale) : 0.f;
    }
}

template <class T>
MIRROR_FN void region_pool(const RegionPoolParams& p) {
    if (p.pool == kMax)
        pool_region<T, kMax>(p);
    else if (p.pool == kMean)
        pool_region<T, kMean>(p);
    else if (p.pool == kL2)
        pool_region<T, kL2>(p);
    else
        pool_region<T, kGem>(p);
}

}  // namespace region_pool
