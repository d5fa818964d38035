// Coordinates of a thread's item from its linear index.
#pragma once
#include "ptx.cuh"

// The linear index of a thread over the grid.
MIRROR_FN i64 thread_index() {
    return i64(blockIdx.x) * blockDim.x + threadIdx.x;
}
// Takes the innermost coordinate, below `extent`, off a linear index. Both compilers branch to a 32-bit division
// where the operands allow it, which for real tensors they do.
MIRROR_FN int split(i64& index, int extent) {
    const u64 quotient = u64(index) / u64(extent);
    const int digit = int(u64(index) - quotient * u64(extent));
    index = i64(quotient);
    return digit;
}
