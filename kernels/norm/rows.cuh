// Rows of descriptors: unit length, a search for values that must not be there, conversion to half precision. All are
// bound by memory: every value is read once (l2_normalize reads it again from a cache) and written once.
#pragma once
#include "common/index.cuh"
#include "common/params.h"
#include "common/reduce.cuh"
#include "common/vec.cuh"
#include "norm/launch.h"

namespace rows {

// y = x / |x|, a warp per row; the sum of squares in double, as on the CPU, where a norm of 0 or NaN gives zeros.
// Lanes take every 32nd value, which coalesces at any alignment, and write only what they have read: y may be x.
MIRROR_FN void l2_normalize(const L2Params& p) {
    const i64 row = i64(blockIdx.x) * kRowWarps + threadIdx.x / 32;
    if (row >= p.rows) return;  // the whole warp
    const int lane = threadIdx.x % 32;
    const float* x = p.x + row * p.dim;
    float* y = p.y + row * p.dim;
    double squares = 0;
    for (int i = lane; i < p.dim; i += 32) squares += double(x[i]) * double(x[i]);
    const double norm = gpu::sqrt(warp_sum(squares));
    const double scale = gpu::div(1.0, norm);
    for (int i = lane; i < p.dim; i += 32) y[i] = norm > 0 ? float(x[i] * scale) : 0.f;
}

// The index of the first NaN or value beyond +-limit. A warp reads kScanBatch lines of 128 bytes, votes, and stops at
// its first find: what it would find later has a higher index.
MIRROR_FN void find_non_finite(const FindNonFiniteParams& p) {
    const int lane = threadIdx.x % 32;
    const i64 warp = (i64(blockIdx.x) * kRowThreads + threadIdx.x) / 32;
    constexpr int step = 32 * kScanBatch;
    const i64 stride = i64(gridDim.x) * (kRowThreads / 32) * step;
    for (i64 first = warp * step; first < p.count; first += stride) {
        u32 bad = 0;  // bit j: of the lane's value j
#pragma unroll
        for (int j = 0; j < kScanBatch; ++j) {
            const i64 at = first + 32 * j + lane;
            const float value = at < p.count ? p.x[at] : 0.f;
            const float size = value < 0 ? -value : value;
            bad |= u32(!(size <= p.limit)) << j;
        }
        if (!gpu::ballot(bad != 0)) continue;
#pragma unroll
        for (int j = 0; j < kScanBatch; ++j)
            if (bad >> j & 1) gpu::min_global(p.first, u64(first + 32 * j + lane));
        return;
    }
}

// Eight values of a row to T. Rows of a multiple of four floats are read as 16-byte vectors.
template <class T>
MIRROR_FN void cast(const CastParams& p) {
    i64 row = thread_index();
    const int c = split(row, p.y_pitch / 8) * 8;
    if (row >= p.rows) return;
    const float* x = p.x + row * p.c;
    Vec<T> out;
    const bool aligned = p.c % 4 == 0 && reinterpret_cast<u64>(p.x) % 16 == 0;
    if (aligned && c + 8 <= p.c) {
        Vec<float> low, high;
        low.load(x + c), high.load(x + c + 4);
#pragma unroll
        for (int i = 0; i < 4; ++i) out.v[i] = low.v[i], out.v[4 + i] = high.v[i];
    } else {
#pragma unroll
        for (int i = 0; i < 8; ++i) out.v[i] = c + i < p.c ? x[c + i] : 0.f;
    }
    out.store(static_cast<T*>(p.y) + row * p.y_pitch + c);
}

}  // namespace rows
