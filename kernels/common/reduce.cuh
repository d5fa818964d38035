// Sums over the lanes of a warp, in a fixed order; every lane gets the result.
#pragma once
#include "ptx.cuh"

template <class T>
MIRROR_FN T warp_sum(T v) {
#pragma unroll
    for (int mask = 16; mask > 0; mask /= 2) v += gpu::shfl_xor(v, mask);
    return v;
}
