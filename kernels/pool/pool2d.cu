// See pool2d.cuh.
#include "pool/pool2d.cuh"

extern "C" __global__ void __launch_bounds__(kPoolThreads, 3) pool2d_f32(const Pool2dParams p) {
    pool::pool2d<float>(p);
}
extern "C" __global__ void __launch_bounds__(kPoolThreads, 3) pool2d_f16(const Pool2dParams p) {
    pool::pool2d<f16>(p);
}
extern "C" __global__ void __launch_bounds__(kPoolThreads, 3) pool2d_bf16(const Pool2dParams p) {
    pool::pool2d<bf16>(p);
}
