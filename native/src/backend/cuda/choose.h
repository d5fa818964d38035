// Which kernel runs an operation on a GPU. Kernels that have run on hardware and won are the
// defaults; the others are chosen by MIRROR_KERNELS only (docs/results.md lists which have).
#pragma once

#include <string>

#include "backend/cuda/traits.h"

namespace mirror::cuda {

// Whether any kernel of this version has been tested and timed on a GPU. While false, device "auto"
// is the CPU.
inline constexpr bool kMeasuredOnHardware = false;

// The family that MIRROR_KERNELS asks for, read once; INVALID_ARGUMENT for an unknown one.
enum class Family {
    mma,     // unset or "mma": cp.async + mma.sync (sm_80), FFMA for fp32
    wgmma,   // "wgmma": TMA + wgmma (sm_90a) wherever such a kernel applies
    cublas,  // "cublas": similarity and covariance by cuBLAS products
};
Family family();
// Why this GPU cannot do what `family` asks for; empty where it can.
std::string family_shortfall(const GpuTraits& gpu, Family family);

struct ConvTile {
    KernelId id;
    int32_t precision;
    bool hopper;        // wgmma: sm_90a, needs tensor maps
    int rows, filters;  // pixels and filters of the output tile
    int depth;          // channels per step
    int blocks;         // per multiprocessor on sm_80, docs/kernels.md
    double efficiency;  // of the tensor cores (or FMA units) within a block, relative to the widest
                        // tile; estimated
};

// Of params only the shape counts.
const ConvTile& choose_conv(const GpuTraits& gpu,
                            Family family,
                            int32_t precision,
                            const Conv2dParams& params);
// The tile of a kernel; INTERNAL for one that is no convolution.
const ConvTile& conv_tile(KernelId id);

struct ScoreShape {
    bool half = false;
    int regions = 1, dim = 1;
    int32_t similarity = 0, metric = 0;
};
KernelId choose_score(const GpuTraits& gpu, Family family, const ScoreShape& shape);

// {"sm":90,"conv2d fp32":"...","conv2d fp16":"...","conv2d bf16":"...","similarity
// fp32":"...","similarity fp16":"..."}: the kernels for a wide layer (1x1, 256 to 256 channels, 8 x
// 224 x 224) and for 35 regions of 256 dimensions.
std::string choices_json(const GpuTraits& gpu, Family family);

}  // namespace mirror::cuda
