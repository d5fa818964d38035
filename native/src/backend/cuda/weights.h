// Folded convolution weights in the layout of conv2d_*: [k][r][s][c] of one precision, padded with
// zeros.
#pragma once

#include <vector>

#include "backend/cuda/memory.h"
#include "mirror/mirror.h"

namespace mirror::cuda {

// How many filters and channels the kernel sees; the rest is zeros.
struct WeightShape {
    int r = 1, s = 1, in_c = 1, out_c = 1;  // of the HWIO kernel
    int c = 1, k = 1;                       // padded, >= in_c and out_c
    // 0, or the elements per pixel of an input whose filter rows are read as one pixel of c
    // channels (s becomes 1).
    int row_pixel = 0;
};

struct ConvOperands {
    DeviceBuffer weights;
    DeviceBuffer bias;  // [k] float
    int64_t bytes() const { return static_cast<int64_t>(weights.bytes() + bias.bytes()); }
};

// kernel HWIO; bias [out_c] or null.
ConvOperands upload_weights(const std::shared_ptr<const Gpu>& gpu,
                            int32_t precision,
                            const WeightShape& shape,
                            const float* kernel,
                            const float* bias);

}  // namespace mirror::cuda
