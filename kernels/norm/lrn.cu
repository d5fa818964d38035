// See lrn.cuh.
#include "norm/lrn.cuh"

extern "C" __global__ void __launch_bounds__(kLrnThreads) lrn_f32(const LrnParams p) {
    lrn::lrn<float>(p);
}
extern "C" __global__ void __launch_bounds__(kLrnThreads) lrn_f16(const LrnParams p) {
    lrn::lrn<f16>(p);
}
extern "C" __global__ void __launch_bounds__(kLrnThreads) lrn_bf16(const LrnParams p) {
    lrn::lrn<bf16>(p);
}
