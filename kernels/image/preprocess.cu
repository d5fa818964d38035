// See preprocess.cuh.
#include "image/preprocess.cuh"

extern "C" __global__ void __launch_bounds__(kImageThreads) preprocess_f32(const PreprocessParams p) {
    preprocess::preprocess<float>(p);
}
extern "C" __global__ void __launch_bounds__(kImageThreads) preprocess_f16(const PreprocessParams p) {
    preprocess::preprocess<f16>(p);
}
extern "C" __global__ void __launch_bounds__(kImageThreads) preprocess_bf16(const PreprocessParams p) {
    preprocess::preprocess<bf16>(p);
}
