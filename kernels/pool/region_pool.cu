// See region_pool.cuh.
#include "pool/region_pool.cuh"

extern "C" __global__ void __launch_bounds__(kRegionThreads, kRegionBlocks) region_pool_f32(const RegionPoolParams p) {
    region_pool::region_pool<float>(p);
}
extern "C" __global__ void __launch_bounds__(kRegionThreads, kRegionBlocks) region_pool_f16(const RegionPoolParams p) {
    region_pool::region_pool<f16>(p);
}
extern "C" __global__ void __launch_bounds__(kRegionThreads, kRegionBlocks) region_pool_bf16(const RegionPoolParams p) {
    region_pool::region_pool<bf16>(p);
}
