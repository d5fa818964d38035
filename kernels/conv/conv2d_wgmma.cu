#include "conv/conv2d_wgmma.cuh"

#if defined(MIRROR_SM90) || !defined(MIRROR_DEVICE_CODE)

// One block per multiprocessor: its ring takes most of the shared memory.
#define MIRROR_CONV2D_WGMMA(T, BN)                                                         \
    extern "C" __global__ void __launch_bounds__(conv2d_wgmma::kThreads, 1)                \
        conv2d_wgmma_##T##_128x##BN(const Conv2dParams p) {                                \
        conv2d_wgmma::conv2d<T, BN>(p);                                                    \
    }
MIRROR_CONV2D_WGMMA(f16, 64)
MIRROR_CONV2D_WGMMA(f16, 128)
MIRROR_CONV2D_WGMMA(f16, 256)
MIRROR_CONV2D_WGMMA(bf16, 64)
MIRROR_CONV2D_WGMMA(bf16, 128)
MIRROR_CONV2D_WGMMA(bf16, 256)
#undef MIRROR_CONV2D_WGMMA

#endif
