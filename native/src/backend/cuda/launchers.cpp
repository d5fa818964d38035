#include "backend/cuda/launchers.h"

#include "backend/cuda/choose.h"
#include "conv/launch.h"
#include "conv/wgmma_launch.h"
#include "image/launch.h"
#include "norm/launch.h"
#include "pool/launch.h"
#include "search/launch.h"
#include "search/prmac_launch.h"
#include "search/prmac_wgmma_launch.h"
#include "whiten/launch.h"

namespace mirror::cuda {
namespace {

using enum KernelId;

constexpr int64_t kConv2dPixels = (int64_t{1} << 31) - 256;  // conv/launch.h

KernelId by_precision(int32_t precision, KernelId fp32, KernelId bf16, KernelId fp16) {
    return precision == MIRROR_PRECISION_FP32   ? fp32
           : precision == MIRROR_PRECISION_BF16 ? bf16
                                                : fp16;
}

// What a kernel takes for granted; a violation is a defect of this library.
void expect(bool condition, const char* what) {
    if (!condition) fail(MIRROR_E_INTERNAL, "a kernel would be launched with ", what);
}
bool aligned(const void* pointer) {
    return reinterpret_cast<uintptr_t>(pointer) % 16 == 0;
}
void expect_vectors(
    int32_t precision, const void* x, const void* y, int c, int x_pitch, int y_pitch) {
    const int vec = alignment(precision);
    expect(aligned(x) && aligned(y), "a tensor that is not aligned to 16 bytes");
    expect(c % vec == 0 && x_pitch % vec == 0 && y_pitch % vec == 0,
           "channels or pitches that are no multiple of 16 bytes");
}

}  // namespace

void preprocess(const Gpu& gpu, int32_t precision, const PreprocessParams& params) {
    gpu.launch(by_precision(precision, preprocess_f32, preprocess_bf16, preprocess_f16),
               preprocess_launch(params),
               params);
}

void pack(const Gpu& gpu, int32_t precision, const PackParams& params) {
    expect(params.out.channels % kPackGroup == 0,
           "pixels of a number of channels that is no multiple of 4");
    gpu.launch(by_precision(precision, pack_f32, pack_bf16, pack_f16), pack_launch(params), params);
}

void unpack(const Gpu& gpu, int32_t precision, const UnpackParams& params) {
    gpu.launch(by_precision(precision, unpack_f32, unpack_bf16, unpack_f16),
               unpack_launch(params),
               params);
}

void cast(const Gpu& gpu, int32_t precision, const CastParams& params) {
    expect(precision != MIRROR_PRECISION_FP32 && params.y_pitch % 8 == 0 && aligned(params.y),
           "a cast to unaligned rows");
    gpu.launch(
        precision == MIRROR_PRECISION_BF16 ? cast_bf16 : cast_f16, cast_launch(params), params);
}

void conv2d(const Gpu& gpu, KernelId kernel, const Conv2dParams& params) {
    const ConvTile& tile = conv_tile(kernel);
    const int vec = tile.precision == MIRROR_PRECISION_FP32 ? 4 : 8;
    expect_vectors(tile.precision, params.x, params.y, params.k, params.c, params.y_pitch);
    expect(params.stride_w * params.x_pitch % vec == 0, "pixels that are not aligned to 16 bytes");
    expect(static_cast<int64_t>(params.n) * params.p * params.q < kConv2dPixels,
           "more than 2^31 output pixels");
    if (!tile.hopper) {
        const int64_t blocks =
            div_up(static_cast<int64_t>(params.n) * params.p * params.q, tile.rows) *
            div_up(params.k, tile.filters);
        gpu.launch(
            kernel, {blocks, 1, 1, info(kernel).threads, info(kernel).shared_memory}, params);
        return;
    }
    expect(params.maps != nullptr, "no tensor maps");
    gpu.launch(
        kernel, conv2d_wgmma_launch(params, tile.filters, gpu.traits().multiprocessors), params);
}

void pool2d(const Gpu& gpu, int32_t precision, const Pool2dParams& params) {
    expect_vectors(precision, params.x, params.y, params.c, params.x_pitch, params.y_pitch);
    gpu.launch(by_precision(precision, pool2d_f32, pool2d_bf16, pool2d_f16),
               pool2d_launch(params, alignment(precision)),
               params);
}

void lrn(const Gpu& gpu, int32_t precision, const LrnParams& params) {
    expect_vectors(precision, params.x, params.y, params.c, params.x_pitch, params.y_pitch);
    gpu.launch(by_precision(precision, lrn_f32, lrn_bf16, lrn_f16),
               lrn_launch(params, alignment(precision)),
               params);
}

void region_pool(const Gpu& gpu, int32_t precision, const RegionPoolParams& params) {
    gpu.launch(by_precision(precision, region_pool_f32, region_pool_bf16, region_pool_f16),
               region_pool_launch(params, alignment(precision)),
               params);
}

void l2_normalize(const Gpu& gpu, const L2Params& params) {
    gpu.launch(l2_normalize_f32, l2_normalize_launch(params), params);
}

void find_non_finite(const Gpu& gpu, const FindNonFiniteParams& params) {
    gpu.launch(find_non_finite_f32, find_non_finite_launch(params), params);
}

void whiten(const Gpu& gpu, const WhitenParams& params) {
    gpu.launch(whiten_f64, whiten_launch(params), params);
}

void column_sums(const Gpu& gpu, const ColumnSumsParams& params) {
    gpu.launch(column_sums_f64, column_sums_launch(params), params);
}

void covariance(const Gpu& gpu, const CovarianceParams& params) {
    gpu.launch(covariance_f64, covariance_launch(params), params);
}

void center(const Gpu& gpu, const CenterParams& params) {
    gpu.launch(center_f64, center_launch(params), params);
}

void score(const Gpu& gpu, KernelId kernel, const ScoreParams& params) {
    const int processors = gpu.traits().multiprocessors;
    const bool tuned = kernel != score_f32 && kernel != score_f16;
    expect(!tuned || (params.regions == kPrmacRegions && params.dim == kPrmacDim &&
                      params.similarity == 0 && params.metric == 0),
           "descriptors that a tuned PR-MAC kernel is not for");
    expect(params.nd <= kPrmacMostImages<Prmac_128>,
           "more images than a grid of PR-MAC strips has room for");
    if (kernel == prmac_mma_f16_35x256_128)
        return gpu.launch(kernel, prmac_mma_launch<Prmac_128>(params, processors), params);
    if (kernel == prmac_mma_f16_35x256_64)
        return gpu.launch(kernel, prmac_mma_launch<Prmac_64>(params, processors), params);
    if (kernel == prmac_wgmma_f16_35x256) {
        expect(params.maps != nullptr && prmac_wgmma::applies(params),
               "no tensor maps, or too many rows");
        return gpu.launch(kernel, prmac_wgmma_launch(params, processors), params);
    }
    gpu.launch(kernel, score_launch(params), params);
}

void reduce_products(const Gpu& gpu, const ReduceProductsParams& params) {
    gpu.launch(reduce_products_f32, reduce_products_launch(params), params);
}

void topk(const Gpu& gpu, const TopkParams& params) {
    gpu.launch(topk_f32, topk_launch(params), params);
}

int64_t topk_workspace(int k) {
    return topk_workspace_words(k);
}

}  // namespace mirror::cuda
