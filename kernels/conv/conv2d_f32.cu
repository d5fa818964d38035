// Entries of conv2d_f32.cuh.
#include "conv/conv2d_f32.cuh"

extern "C" __global__ void __launch_bounds__(Conv2dFloat_128x64::THREADS, 3) conv2d_f32_128x64(const Conv2dParams p) {
    conv2d::f32<Conv2dFloat_128x64>(p);
}
extern "C" __global__ void __launch_bounds__(Conv2dFloat_64x64::THREADS, 4) conv2d_f32_64x64(const Conv2dParams p) {
    conv2d::f32<Conv2dFloat_64x64>(p);
}
