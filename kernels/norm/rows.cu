// See rows.cuh.
#include "norm/rows.cuh"

extern "C" __global__ void __launch_bounds__(kRowThreads) l2_normalize_f32(const L2Params p) {
    rows::l2_normalize(p);
}
extern "C" __global__ void __launch_bounds__(kRowThreads) find_non_finite_f32(const FindNonFiniteParams p) {
    rows::find_non_finite(p);
}
extern "C" __global__ void __launch_bounds__(kRowThreads) cast_f16(const CastParams p) {
    rows::cast<f16>(p);
}
extern "C" __global__ void __launch_bounds__(kRowThreads) cast_bf16(const CastParams p) {
    rows::cast<bf16>(p);
}
