// Entries of conv2d_mma.cuh. Registers are capped so that two blocks (three of the small tiles) share an SM: one
// block's epilogue then overlaps the other's products.
#include "conv/conv2d_mma.cuh"

#define ENTRY(T, TILE, BLOCKS)                                                       \
    extern "C" __global__ void __launch_bounds__(Conv2dHalf_##TILE::THREADS, BLOCKS) \
        conv2d_##T##_##TILE(const Conv2dParams p) {                                  \
        conv2d::mma<T, Conv2dHalf_##TILE>(p);                                         \
    }
ENTRY(f16, 128x128x32, 2)
ENTRY(f16, 128x64x32, 3)
ENTRY(f16, 64x64x64, 3)
ENTRY(f16, 64x64x32, 4)
ENTRY(bf16, 128x128x32, 2)
ENTRY(bf16, 128x64x32, 3)
ENTRY(bf16, 64x64x64, 3)
ENTRY(bf16, 64x64x32, 4)
#undef ENTRY
