// Image-level scores from region-level products that a GEMM wrote (dot metric):
//
//   score[i, j] = sum | max over r of max over t of products[i * R + r, j * R + t]
//
// A warp owns a pair of images. Its lanes run along t, eight rows r at a time; the eight maxima of a lane are reduced
// over the warp by exchanging halves: 4 + 2 + 1 shuffles leave each lane with one row, two more complete it, 9 instead
// of 40. The sum is taken in double in a fixed order. Floor: the products read once, from L2 if the tile fits.
#pragma once
#include "common/index.cuh"
#include "common/params.h"
#include "common/reduce.cuh"
#include "search/launch.h"

namespace score {

// Lanes l and l ^ mask share the rows: the lower keeps the maxima of the first `Rows`, the upper of the others.
template <int Rows>
MIRROR_FN void exchange(float (&v)[8], int mask) {
    const bool upper = threadIdx.x & mask;
#pragma unroll
    for (int i = 0; i < Rows; ++i) {
        const float low = v[i], high = v[Rows + i];
        v[i] = gpu::max_f32(upper ? high : low, gpu::shfl_xor(upper ? low : high, mask));
    }
}
// The warp's maximum of v[row_of(lane)].
MIRROR_FN float transpose_max(float (&v)[8]) {
    exchange<4>(v, 16);
    exchange<2>(v, 8);
    exchange<1>(v, 4);
    v[0] = gpu::max_f32(v[0], gpu::shfl_xor(v[0], 2));
    return gpu::max_f32(v[0], gpu::shfl_xor(v[0], 1));
}
MIRROR_FN int row_of(int lane) {
    return lane / 16 * 4 + lane / 8 % 2 * 2 + lane / 4 % 2;
}

MIRROR_FN void reduce_products(const ReduceProductsParams& p) {
    const i64 pair = thread_index() / 32;
    const i64 i = pair / p.nd, j = pair - i * p.nd;
    if (i >= p.nq) return;  // the whole warp
    const int lane = threadIdx.x % 32;
    const float* products = p.products + i * p.regions * p.product_pitch + j * p.regions;
    double total = p.similarity == 0 ? 0.0 : -__builtin_inf();
    for (int first = 0; first < p.regions; first += 8) {
        float best[8];
#pragma unroll
        for (int r = 0; r < 8; ++r) {
            best[r] = -__builtin_inff();
            const float* row = products + (first + r) * p.product_pitch;
            if (first + r < p.regions)
                for (int t = lane; t < p.regions; t += 32) best[r] = gpu::max_f32(best[r], row[t]);
        }
        const double m = transpose_max(best);
        if (first + row_of(lane) < p.regions) total = p.similarity == 0 ? total + m : m > total ? m : total;
    }
#pragma unroll
    for (int mask = 16; mask >= 4; mask /= 2) {
        const double other = gpu::shfl_xor(total, mask);
        total = p.similarity == 0 ? total + other : other > total ? other : total;
    }
    if (lane == 0) p.scores[i * p.pitch + j] = float(total);
}

}  // namespace score
