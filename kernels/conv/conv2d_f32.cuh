// conv2d on the FP32 units: y = relu?(conv(x, w) + bias (+ residual)) in float throughout, as an implicit GEMM.
// Contract: Conv2dParams. Every product is one gpu::fma onto its sum, K in ascending order: the same bits on any GPU.
//
// A warp is 4 x 8 lanes and computes 32 pixels x WN filters, a thread 8 pixels x TN filters in registers:
//
//     slice of pixels [BM][16]       lane l reads row  warp_m + 4 i + l / 8,  i < 8
//     slice of filters [BN][16]      lane l reads row  warp_n + 8 j + l % 8,  j < TN
//
// Both stay K-major, as cp.async delivers them; a thread reads four of K at once from each row: 8 + TN loads of 16
// bytes for 32 TN multiply-adds. Lanes that share a row share the load, the rest lie in different banks (swizzled()).
// The slice holds filters in the order that gives each thread runs of four neighbours (filter_in_row), so bias,
// residual and y move in 16-byte vectors straight from registers; y may be the residual, a thread reads what it writes.
//
// Floor: 2 n p q k (r s c) FLOP on the FMA pipe; n h w c + k r s c + n p q k (1 + residual) elements of 4 bytes.
#pragma once
#include "common/vec.cuh"
#include "conv/conv2d_tile.cuh"
#include "conv/launch.h"

namespace conv2d {

// The filter, relative to the tile, that row `row` of a slice holds.
MIRROR_FN int filter_in_row(int row) {
    return row / 32 * 32 + row % 8 * 4 + row / 8 % 4;
}

template <class Tile>
MIRROR_FN void f32(const Conv2dParams& p) {
    constexpr int TN = Tile::WN / 8;
    using Load = Loader<float, Tile>;
    static_assert(Tile::WM == 32 && TN % 4 == 0, "a warp is 4 x 8 lanes of 8 x TN results");
    static_assert(Tile::ROW_BYTES == 64 && Load::ROWS % 32 == 0, "filter_in_row() keeps the loader's row distance");
    const u8* shared = gpu::dynamic_smem();
    const u32 smem = gpu::smem_addr(shared);
    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    const int warp_m = warp / Tile::WARPS_N * 32, warp_n = warp % Tile::WARPS_N * Tile::WN;
    const int tiles_n = (p.k + Tile::BN - 1) / Tile::BN;
    const int m0 = int(blockIdx.x) / tiles_n * Tile::BM, n0 = int(blockIdx.x) % tiles_n * Tile::BN;

    float acc[8][TN];
#pragma unroll
    for (int i = 0; i < 8; ++i)
#pragma unroll
        for (int j = 0; j < TN; ++j) acc[i][j] = 0.f;

    Load load(p, m0, n0 + filter_in_row(Load::first_row()));
    // Byte offsets in a stage of this lane's rows at K 0; four of K further on are the address XOR 16. Rows 4 apart
    // differ in their swizzle, rows 8 apart do not.
    const int at_a[2] = {swizzled<64>(warp_m + lane / 8, 0), swizzled<64>(warp_m + lane / 8 + 4, 0)};
    const int at_b = Tile::BM * 64 + swizzled<64>(warp_n + lane % 8, 0);
    // clang would call it, with acc in local memory.
    slices<Tile>(p, load, smem, [&](u32 stage) __attribute__((always_inline)) {
        const u8* slice = shared + (stage - smem);
#pragma unroll 1  // unrolled, the loads of several vectors would be in flight and spill
        for (int v = 0; v < Tile::ROW_BYTES; v += 16) {
            Vec<float> pixel[8];
#pragma unroll
            for (int i = 0; i < 8; ++i)
                pixel[i].load(reinterpret_cast<const float*>(slice + (at_a[i % 2] ^ v) + i / 2 * 512));
#pragma unroll
            for (int j = 0; j < TN; ++j) {
                Vec<float> filter;
                filter.load(reinterpret_cast<const float*>(slice + (at_b ^ v) + j * 512));
#pragma unroll
                for (int e = 0; e < 4; ++e)
#pragma unroll
                    for (int i = 0; i < 8; ++i) acc[i][j] = gpu::fma(pixel[i].v[e], filter.v[e], acc[i][j]);
            }
        }
    });

    const float* residual = static_cast<const float*>(p.residual);
#pragma unroll
    for (int j = 0; j < TN; j += 4) {
        const int col = n0 + warp_n + j * 8 + lane % 8 * 4;
        Vec<float> bias = {};
        if (col < p.k) bias.load(p.bias + col);
#pragma unroll
        for (int i = 0; i < 8; ++i) {
            const int m = m0 + warp_m + i * 4 + lane / 8;
            const long long index = 1ll * m * p.y_pitch + col;
            const bool ok = m < p.n * p.p * p.q && col < p.k;
            Vec<float> out, add = {};
            if (residual && ok) add.load(residual + index);
#pragma unroll
            for (int e = 0; e < 4; ++e) {
                out.v[e] = acc[i][j + e] + bias.v[e] + add.v[e];
                if (p.relu) out.v[e] = gpu::max_f32(out.v[e], 0.f);
            }
            if (ok) out.store(static_cast<float*>(p.y) + index);
        }
    }
}

}  // namespace conv2d
