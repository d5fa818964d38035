#include "backend/cuda/choose.h"

#include <cstdlib>
#include <limits>
#include <string_view>

#include "base/error.h"
#include "base/json.h"
#include "conv/wgmma_launch.h"
#include "mirror/mirror.h"

namespace mirror::cuda {
namespace {

using enum KernelId;

// Efficiencies are estimates from operations per byte of shared memory; a first run on hardware
// replaces them.
constexpr int32_t kFloat = MIRROR_PRECISION_FP32, kHalf = MIRROR_PRECISION_FP16,
                  kBrain = MIRROR_PRECISION_BF16;
constexpr ConvTile kTiles[] = {
    {conv2d_f32_128x64, kFloat, false, 128, 64, 16, 3, 1.0},
    {conv2d_f32_64x64, kFloat, false, 64, 64, 16, 4, 0.8},
    {conv2d_f16_128x128x32, kHalf, false, 128, 128, 32, 2, 1.0},
    {conv2d_f16_128x64x32, kHalf, false, 128, 64, 32, 3, 0.85},
    {conv2d_f16_64x64x64, kHalf, false, 64, 64, 64, 3, 0.7},
    {conv2d_f16_64x64x32, kHalf, false, 64, 64, 32, 4, 0.65},
    {conv2d_bf16_128x128x32, kBrain, false, 128, 128, 32, 2, 1.0},
    {conv2d_bf16_128x64x32, kBrain, false, 128, 64, 32, 3, 0.85},
    {conv2d_bf16_64x64x64, kBrain, false, 64, 64, 64, 3, 0.7},
    {conv2d_bf16_64x64x32, kBrain, false, 64, 64, 32, 4, 0.65},
    {conv2d_wgmma_f16_128x256, kHalf, true, 128, 256, 64, 1, 1.0},
    {conv2d_wgmma_f16_128x128, kHalf, true, 128, 128, 64, 1, 0.9},
    {conv2d_wgmma_f16_128x64, kHalf, true, 128, 64, 64, 1, 0.6},
    {conv2d_wgmma_bf16_128x256, kBrain, true, 128, 256, 64, 1, 1.0},
    {conv2d_wgmma_bf16_128x128, kBrain, true, 128, 128, 64, 1, 0.9},
    {conv2d_wgmma_bf16_128x64, kBrain, true, 128, 64, 64, 1, 0.6},
};

// Time in units of one multiply-add per multiprocessor: whole waves of blocks, whole steps of
// channels.
double cost(const GpuTraits& gpu, const ConvTile& tile, const Conv2dParams& conv) {
    const int64_t blocks =
        div_up(1ll * conv.n * conv.p * conv.q, tile.rows) * div_up(conv.k, tile.filters);
    const int64_t waves = div_up(blocks, 1ll * gpu.multiprocessors * tile.blocks);
    // K is r * s * c in one piece, but on Hopper every filter tap starts a step.
    const int64_t taps = 1ll * conv.r * conv.s;
    const int64_t steps =
        tile.hopper ? taps * div_up(conv.c, tile.depth) : div_up(taps * conv.c, tile.depth);
    return static_cast<double>(waves * tile.blocks * steps) * tile.rows * tile.filters *
           tile.depth / tile.efficiency;
}

}  // namespace

Family family() {
    static const std::string chosen = [] {
        const char* value = std::getenv("MIRROR_KERNELS");
        return std::string(value ? value : "");
    }();
    if (chosen.empty() || chosen == "mma") return Family::mma;
    if (chosen == "wgmma") return Family::wgmma;
    if (chosen == "cublas") return Family::cublas;
    fail(MIRROR_E_INVALID_ARGUMENT,
         "MIRROR_KERNELS is \"",
         chosen,
         "\", expected mma, wgmma or cublas");
}

std::string family_shortfall(const GpuTraits& gpu, Family family) {
    if (family != Family::wgmma || gpu.hopper) return "";
    return text(
        "MIRROR_KERNELS is wgmma, which needs compute capability 9.0 and a driver for CUDA 12.3; "
        "this GPU (",
        gpu.architecture / 10,
        '.',
        gpu.architecture % 10,
        ") runs the mma kernels");
}

const ConvTile& choose_conv(const GpuTraits& gpu,
                            Family family,
                            int32_t precision,
                            const Conv2dParams& conv) {
    const ConvTile* best = nullptr;
    double least = std::numeric_limits<double>::infinity();
    const bool hopper = family == Family::wgmma && gpu.hopper &&
                        precision != MIRROR_PRECISION_FP32 && conv2d_wgmma::applies(conv);
    for (const ConvTile& tile : kTiles) {
        if (tile.precision != precision || tile.hopper != hopper || !gpu.runs(tile.id)) continue;
        if (const double time = cost(gpu, tile, conv); time < least) best = &tile, least = time;
    }
    if (!best) fail(MIRROR_E_INTERNAL, "no convolution kernel runs on sm_", gpu.architecture);
    return *best;
}

const ConvTile& conv_tile(KernelId id) {
    for (const ConvTile& tile : kTiles)
        if (tile.id == id) return tile;
    fail(MIRROR_E_INTERNAL, info(id).name, " is no convolution");
}

KernelId choose_score(const GpuTraits& gpu, Family family, const ScoreShape& shape) {
    if (!shape.half) return score_f32;
    const bool tuned = shape.regions == 35 && shape.dim == 256 &&
                       shape.similarity == MIRROR_SIMILARITY_PR_MAC &&
                       shape.metric == MIRROR_METRIC_DOT;
    if (!tuned) return score_f16;
    if (family == Family::wgmma && gpu.runs(prmac_wgmma_f16_35x256)) return prmac_wgmma_f16_35x256;
    if (gpu.runs(prmac_mma_f16_35x256_128)) return prmac_mma_f16_35x256_128;
    return prmac_mma_f16_35x256_64;
}

std::string choices_json(const GpuTraits& gpu, Family family) {
    std::string result = text("{\"sm\":", gpu.architecture);
    const auto add = [&](std::string_view operation,
                         std::string_view precision,
                         const char* kernel) {
        result += text(",", json_quote(text(operation, " ", precision)), ":", json_quote(kernel));
    };
    const std::pair<const char*, int32_t> precisions[] = {{"fp32", MIRROR_PRECISION_FP32},
                                                          {"fp16", MIRROR_PRECISION_FP16},
                                                          {"bf16", MIRROR_PRECISION_BF16}};
    Conv2dParams wide{};
    wide.n = 8, wide.h = wide.w = wide.p = wide.q = 224,
    wide.c = wide.x_pitch = wide.k = wide.y_pitch = 256;
    wide.r = wide.s = wide.stride_h = wide.stride_w = 1;
    for (const auto& [name, precision] : precisions)
        add("conv2d", name, info(choose_conv(gpu, family, precision, wide).id).name);
    for (const bool half : {false, true}) {
        const ScoreShape shape{half, 35, 256, MIRROR_SIMILARITY_PR_MAC, MIRROR_METRIC_DOT};
        add("similarity",
            half ? "fp16" : "fp32",
            family == Family::cublas ? "cuBLAS, reduce_products_f32"
                                     : info(choose_score(gpu, family, shape)).name);
    }
    return result + "}";
}

}  // namespace mirror::cuda
