// Tensor maps (TMA descriptors) of the Hopper kernels, encoded by the driver on the host. The
// kernels read them from device memory, 64-byte aligned, written before the launch.
#pragma once

#include "backend/cuda/gpu.h"

namespace mirror::cuda {

constexpr int kConvMaps = 4;   // pixels, filters, residual, output
constexpr int kScoreMaps = 3;  // query, left and right half of the database tile

bool conv_needs_maps(KernelId kernel);
bool score_needs_maps(KernelId kernel);

// For conv2d_wgmma_* with exactly these pointers and sizes.
void write_conv_maps(const Gpu& gpu,
                     const Conv2dParams& params,
                     KernelId kernel,
                     CUtensorMap (&out)[kConvMaps]);
// For prmac_wgmma_* likewise.
void write_score_maps(const Gpu& gpu, const ScoreParams& params, CUtensorMap (&out)[kScoreMaps]);

}  // namespace mirror::cuda
