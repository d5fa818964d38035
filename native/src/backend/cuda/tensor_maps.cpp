#include "backend/cuda/tensor_maps.h"

#include "backend/cuda/choose.h"
#include "conv/wgmma_maps.h"
#include "search/prmac_wgmma_maps.h"

namespace mirror::cuda {
namespace {

constexpr int kNoInterleave = 0, kZerosOutside = 0;
constexpr uint64_t kAlignment = 16;  // of addresses and strides, bytes

int element_type(bool half) {
    return half ? TENSOR_MAP_FLOAT16 : TENSOR_MAP_BFLOAT16;
}

// The driver answers anything it cannot describe with "invalid value" and no reason.
void require_aligned(const char* what, const void* base, uint64_t stride) {
    if (reinterpret_cast<uintptr_t>(base) % kAlignment || stride % kAlignment)
        fail(MIRROR_E_INTERNAL,
             "the tensor map of ",
             what,
             ": address ",
             base,
             " and stride ",
             stride,
             " must be multiples of ",
             kAlignment,
             " bytes");
}

void require_functions(const Gpu& gpu) {
    const Driver& driver = gpu.driver();
    if (!driver.cuTensorMapEncodeTiled || !driver.cuTensorMapEncodeIm2col)
        fail(MIRROR_E_NO_DEVICE,
             "MIRROR_KERNELS=wgmma needs a driver of CUDA 12.0 or later, ",
             driver.library,
             " has no cuTensorMapEncode*");
}

void encode(const Gpu& gpu, const char* what, bool half, const TiledMap& map, CUtensorMap& out) {
    require_aligned(what, map.base, map.stride);
    const uint32_t steps[2] = {1, 1};
    MIRROR_CU(gpu,
              cuTensorMapEncodeTiled,
              &out,
              element_type(half),
              2,
              const_cast<void*>(map.base),
              map.dims,
              &map.stride,
              map.box,
              steps,
              kNoInterleave,
              TENSOR_MAP_SWIZZLE_128B,
              TENSOR_MAP_L2_PROMOTION_128B,
              kZerosOutside);
}

void encode(const Gpu& gpu, const char* what, bool half, const Im2colMap& map, CUtensorMap& out) {
    for (const uint64_t stride : map.strides) require_aligned(what, map.base, stride);
    MIRROR_CU(gpu,
              cuTensorMapEncodeIm2col,
              &out,
              element_type(half),
              4,
              const_cast<void*>(map.base),
              map.dims,
              map.strides,
              map.lower,
              map.upper,
              map.channels,
              map.pixels,
              map.steps,
              kNoInterleave,
              TENSOR_MAP_SWIZZLE_128B,
              TENSOR_MAP_L2_PROMOTION_128B,
              kZerosOutside);
}

}  // namespace

bool conv_needs_maps(KernelId kernel) {
    return conv_tile(kernel).hopper;
}

bool score_needs_maps(KernelId kernel) {
    return kernel == KernelId::prmac_wgmma_f16_35x256;
}

void write_conv_maps(const Gpu& gpu,
                     const Conv2dParams& params,
                     KernelId kernel,
                     CUtensorMap (&out)[kConvMaps]) {
    require_functions(gpu);
    const ConvTile& tile = conv_tile(kernel);
    if (!tile.hopper || !conv2d_wgmma::applies(params))
        fail(MIRROR_E_INTERNAL,
             info(kernel).name,
             " cannot run this convolution: ",
             params.r,
             'x',
             params.s,
             " filters, stride ",
             params.stride_h,
             'x',
             params.stride_w,
             ", ",
             params.c,
             " channels of ",
             params.x_pitch,
             ", ",
             params.n,
             'x',
             params.p,
             'x',
             params.q,
             " pixels");
    const Conv2dMaps maps = conv2d_wgmma_maps(params, tile.filters);
    const bool half = tile.precision == MIRROR_PRECISION_FP16;
    encode(gpu, "the pixels", half, maps.pixels, out[0]);
    encode(gpu, "the filters", half, maps.filters, out[1]);
    encode(gpu, "the residual", half, maps.residual, out[2]);
    encode(gpu, "the output", half, maps.output, out[3]);
}

void write_score_maps(const Gpu& gpu, const ScoreParams& params, CUtensorMap (&out)[kScoreMaps]) {
    require_functions(gpu);
    if (!prmac_wgmma::applies(params))
        fail(MIRROR_E_INTERNAL,
             "prmac_wgmma_f16_35x256 cannot score ",
             params.nq,
             " x ",
             params.nd,
             " images of ",
             params.regions,
             " x ",
             params.dim);
    const PrmacMaps maps = prmac_wgmma_maps(params);
    encode(gpu, "the queries", true, maps.query, out[0]);
    encode(gpu, "the left half of the database tile", true, maps.left, out[1]);
    encode(gpu, "the right half of the database tile", true, maps.right, out[2]);
}

}  // namespace mirror::cuda
