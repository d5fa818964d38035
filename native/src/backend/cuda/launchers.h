// One function per operation on device memory: picks the kernel of a precision, checks what the
// kernel takes for granted, computes the grid. Contracts: kernels/common/params.h. Everything is
// queued on gpu.stream().
#pragma once

#include "backend/cuda/gpu.h"
#include "mirror/mirror.h"

namespace mirror::cuda {

// Channels per 16-byte vector, which pitches are multiples of, and bytes per element.
constexpr int alignment(int32_t precision) {
    return precision == MIRROR_PRECISION_FP32 ? 4 : 8;
}
constexpr int element_bytes(int32_t precision) {
    return precision == MIRROR_PRECISION_FP32 ? 4 : 2;
}
constexpr int64_t round_up(int64_t value, int64_t unit) {
    return (value + unit - 1) / unit * unit;
}

void preprocess(const Gpu& gpu, int32_t precision, const PreprocessParams& params);
void pack(const Gpu& gpu, int32_t precision, const PackParams& params);
void unpack(const Gpu& gpu, int32_t precision, const UnpackParams& params);
void cast(const Gpu& gpu, int32_t precision, const CastParams& params);  // bf16, fp16
void conv2d(const Gpu& gpu, KernelId kernel, const Conv2dParams& params);
void pool2d(const Gpu& gpu, int32_t precision, const Pool2dParams& params);
void lrn(const Gpu& gpu, int32_t precision, const LrnParams& params);
void region_pool(const Gpu& gpu, int32_t precision, const RegionPoolParams& params);
void l2_normalize(const Gpu& gpu, const L2Params& params);
void find_non_finite(const Gpu& gpu, const FindNonFiniteParams& params);
void whiten(const Gpu& gpu, const WhitenParams& params);
void column_sums(const Gpu& gpu, const ColumnSumsParams& params);
void covariance(const Gpu& gpu, const CovarianceParams& params);
void center(const Gpu& gpu, const CenterParams& params);
void score(const Gpu& gpu, KernelId kernel, const ScoreParams& params);
void reduce_products(const Gpu& gpu, const ReduceProductsParams& params);
void topk(const Gpu& gpu, const TopkParams& params);
// 64-bit words of TopkParams::workspace per row.
int64_t topk_workspace(int k);

}  // namespace mirror::cuda
