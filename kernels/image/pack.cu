// See pack.cuh.
#include "image/pack.cuh"

extern "C" __global__ void __launch_bounds__(kImageThreads) pack_f32(const PackParams p) {
    pack::pack<float>(p);
}
extern "C" __global__ void __launch_bounds__(kImageThreads) pack_f16(const PackParams p) {
    pack::pack<f16>(p);
}
extern "C" __global__ void __launch_bounds__(kImageThreads) pack_bf16(const PackParams p) {
    pack::pack<bf16>(p);
}
extern "C" __global__ void __launch_bounds__(kImageThreads) unpack_f32(const UnpackParams p) {
    pack::unpack<float>(p);
}
extern "C" __global__ void __launch_bounds__(kImageThreads) unpack_f16(const UnpackParams p) {
    pack::unpack<f16>(p);
}
extern "C" __global__ void __launch_bounds__(kImageThreads) unpack_bf16(const UnpackParams p) {
    pack::unpack<bf16>(p);
}
