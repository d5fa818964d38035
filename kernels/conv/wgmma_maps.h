// The four tensor maps that Conv2dParams::maps holds for conv2d_wgmma_*: pixels, filters, residual, output, in this
// order.
#pragma once

#include "common/tensor_map.h"
#include "conv/wgmma_launch.h"

struct Conv2dMaps {
    Im2colMap pixels;
    TiledMap filters, residual, output;
};

// filters: BN of the kernel.
inline Conv2dMaps conv2d_wgmma_maps(const Conv2dParams& p, int filters) {
    const auto size = [](long long value) { return static_cast<uint64_t>(value); };
    const uint64_t pixel = size(p.x_pitch) * 2;
    Conv2dMaps maps{};
    maps.pixels = {p.x,
                   {size(p.c), size(p.w), size(p.h), size(p.n)},
                   {pixel, pixel * size(p.w), pixel * size(p.w) * size(p.h)},
                   {conv2d_wgmma::lower_corner(p.pad_left), conv2d_wgmma::lower_corner(p.pad_top)},
                   {conv2d_wgmma::upper_corner(p.pad_left, p.w, p.q, p.stride_w),
                    conv2d_wgmma::upper_corner(p.pad_top, p.h, p.p, p.stride_h)},
                   conv2d_wgmma::kDepth,
                   conv2d_wgmma::kRows,
                   {1, static_cast<uint32_t>(p.stride_w), static_cast<uint32_t>(p.stride_h), 1}};
    const uint64_t weights = size(p.r) * size(p.s) * size(p.c);
    maps.filters = {p.weights, {weights, size(p.k)}, weights * 2, {64, static_cast<uint32_t>(filters)}};
    const uint64_t rows = size(p.n) * size(p.p) * size(p.q);
    maps.output = {p.y, {size(p.k), rows}, size(p.y_pitch) * 2, {64, 64}};
    maps.residual = maps.output;
    if (p.residual) maps.residual.base = p.residual;
    return maps;
}
