// Whether a result of a convolution does not fit T: Conv2dParams::overflow. f16 ends at 65504; the infinity behind it
// is NaN in the next layer, and 0 from there on, because maximum pooling takes NaN for less than any number. So is NaN
// from an infinite pixel or weight, which pack2_relu lets through to be seen here. float and bf16 reach as far as the
// sums that they round.
#pragma once
#include "common/ptx.cuh"

namespace conv2d {

// What one thread has seen.
template <class T>
struct Overflow {
    MIRROR_FN void see(u32, u32 = 0) {}
    MIRROR_FN void report(u32*) const {}
};

template <>
struct Overflow<f16> {
    u32 sums = 0;

    // Two results. One more in the exponent of infinity or NaN carries into the place of the sign. With `bits` 0 the
    // pair does not count.
    MIRROR_FN void see(u32 pair, u32 bits = 0x7fff7fff) { sums |= (pair & bits) + 0x04000400; }
    MIRROR_FN void report(u32* flag) const {
        if (flag && (sums & 0x80008000)) gpu::store_global(flag, 1);
    }
};

}  // namespace conv2d
