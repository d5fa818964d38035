// Tiles and launches of conv2d_wgmma_*: 128 output pixels by BN filters (64, 128 or 256), one block per multiprocessor.
#pragma once

#include "common/launch.h"
#include "common/params.h"

namespace conv2d_wgmma {

constexpr int kRows = 128;         // output pixels of a tile
constexpr int kDepth = 64;         // of a stage along K: 128-byte rows
constexpr int kThreads = 128 * 3;  // a warpgroup that copies, two that multiply 64 rows each
// Of TMA's im2col mode with four dimensions:
constexpr int kMaxFilter = 256;  // r, s: the offsets of a load have 8 bits
constexpr int kMaxCorner = 127;  // corners of the bounding box are signed bytes
constexpr int kMaxStride = 8;

// As many stages as fit: 184, 192 and 208 KB.
constexpr int stages(int filters) {
    return filters == 64 ? 7 : filters == 128 ? 5 : 3;
}
constexpr int stage_bytes(int filters) {
    return (kRows + filters) * kDepth * 2;
}
constexpr int output_bytes(int filters) {
    return kRows * filters * 2;
}
// Barriers: full and empty per stage; residual there and output gone per consumer.
constexpr int shared_bytes(int filters) {
    return stages(filters) * (stage_bytes(filters) + 16) + output_bytes(filters) + 2 * 2 * 8;
}

// The bounding box of filter positions for the pixel map: the first and the last position along an axis, relative to
// the first and last pixel. Exact for any padding, so that a row of the box has q (p) positions.
constexpr int lower_corner(int pad) {
    return -pad;
}
constexpr int upper_corner(int pad, int extent, int outputs, int stride) {
    return (outputs - 1) * stride - pad - (extent - 1);
}

// Whether the maps can describe this convolution; c <= x_pitch besides what Conv2dParams asks for.
constexpr bool applies(const Conv2dParams& p) {
    const int bottom = upper_corner(p.pad_top, p.h, p.p, p.stride_h);
    const int right = upper_corner(p.pad_left, p.w, p.q, p.stride_w);
    return p.c <= p.x_pitch && p.c % 8 == 0 && p.k % 8 == 0 && p.x_pitch % 8 == 0 && p.y_pitch % 8 == 0 &&
           p.r <= kMaxFilter && p.s <= kMaxFilter && p.stride_h <= kMaxStride && p.stride_w <= kMaxStride &&
           p.pad_top <= kMaxCorner && p.pad_left <= kMaxCorner && bottom <= kMaxCorner && right <= kMaxCorner &&
           -bottom <= kMaxCorner && -right <= kMaxCorner &&
           static_cast<long long>(p.n) * p.p * p.q <= (1ll << 31) - 1 - kRows;
}

}  // namespace conv2d_wgmma

// filters: BN of the kernel. processors: multiprocessors of the device.
inline LaunchShape conv2d_wgmma_launch(const Conv2dParams& p, int filters, int processors) {
    const long long pixels = static_cast<long long>(p.n) * p.p * p.q;
    const long long tiles = div_up(pixels, conv2d_wgmma::kRows) * div_up(p.k, filters);
    LaunchShape shape;
    shape.x = tiles < processors ? tiles : processors;
    shape.threads = conv2d_wgmma::kThreads;
    shape.shared = conv2d_wgmma::shared_bytes(filters);
    return shape;
}
