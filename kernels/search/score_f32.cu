// See score_f32.cuh and reduce_products.cuh.
#include "search/score_f32.cuh"

#include "search/reduce_products.cuh"

extern "C" __global__ void __launch_bounds__(kScoreThreads, 2) score_f32(const ScoreParams p) {
    score::score<float>(p);
}
extern "C" __global__ void __launch_bounds__(kScoreThreads, 2) score_f16(const ScoreParams p) {
    score::score<f16>(p);
}
extern "C" __global__ void __launch_bounds__(kReduceThreads) reduce_products_f32(const ReduceProductsParams p) {
    score::reduce_products(p);
}
