// See topk.cuh.
#include "search/topk.cuh"

extern "C" __global__ void __launch_bounds__(kTopkThreads) topk_f32(const TopkParams p) {
    topk::topk(p);
}
