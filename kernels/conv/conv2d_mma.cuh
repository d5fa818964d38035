// conv2d on mma.sync (sm_80 and later): y = relu?(conv(x, w) + bias (+ residual)) in f16 or bf16, as an implicit GEMM.
// Contract: Conv2dParams. Products and sums are float in a fixed order, rounded to T once at the end.
//
//     K slices of BK, ring of STAGES        block tile BM x BN           warp tile WM x WN
//     pixels  [BM][BK] --ldmatrix--> A      +----+----+----+----+        m16n8k16 fragments,
//     filters [BN][BK] --ldmatrix--> B      | w0 | w1 | w2 | w3 |        WM/16 * WN/8 of them
//                                           | w4 | w5 | w6 | w7 |        in 4 float registers each
//                                           +----+----+----+----+
//
// Epilogue: the ring becomes the output tile [BM][BN + 8]. The residual comes in by cp.async, bias, residual and ReLU
// are applied in registers, the result replaces the residual in place and leaves in whole 16-byte vectors. So y may
// be the residual: no other block touches this tile.
//
// Floor: 2 n p q k (r s c) FLOP; n h w c + k r s c + n p q k (1 + residual) elements of 2 bytes.
#pragma once
#include "conv/conv2d_tile.cuh"
#include "conv/launch.h"
#include "conv/overflow.cuh"

namespace conv2d {

template <class T, class Tile>
MIRROR_FN void mma(const Conv2dParams& p) {
    constexpr int MI = Tile::WM / 16, NI = Tile::WN / 8;  // fragments of a warp
    static_assert(Tile::WM % 16 == 0 && Tile::WN % 16 == 0, "warp tile");
    u8* shared = gpu::dynamic_smem();
    const u32 smem = gpu::smem_addr(shared);
    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    const int warp_m = warp / Tile::WARPS_N * Tile::WM, warp_n = warp % Tile::WARPS_N * Tile::WN;
    const int tiles_n = (p.k + Tile::BN - 1) / Tile::BN;
    const int m0 = int(blockIdx.x) / tiles_n * Tile::BM, n0 = int(blockIdx.x) % tiles_n * Tile::BN;

    float acc[MI][NI][4];
#pragma unroll
    for (int i = 0; i < MI; ++i)
#pragma unroll
        for (int j = 0; j < NI; ++j) acc[i][j][0] = acc[i][j][1] = acc[i][j][2] = acc[i][j][3] = 0.f;

    using Load = Loader<T, Tile>;
    Load load(p, m0, n0 + Load::first_row());
    // Where this lane's ldmatrix row lies in a stage at the first 16 of K; 16 further on is the address XOR 32.
    const int row_b = warp_n + lane % 8 + lane / 16 * 8;
    const int at_a = swizzled<Tile::ROW_BYTES>(warp_m + lane % 16, lane / 16);
    const int at_b = Tile::BM * Tile::ROW_BYTES + swizzled<Tile::ROW_BYTES>(row_b, lane / 8 % 2);
    slices<Tile>(p, load, smem, [&](u32 stage) {
#pragma unroll
        for (int kk = 0; kk < Tile::BK / 16; ++kk) {
            u32 fa[MI][4], fb[NI / 2][4];
#pragma unroll
            for (int i = 0; i < MI; ++i)  // pixels 0-15, K halves 0 | 1
                gpu::ldmatrix_x4(fa[i], ((stage + at_a) ^ kk * 32) + i * 16 * Tile::ROW_BYTES);
#pragma unroll
            for (int j = 0; j < NI / 2; ++j)  // filters 0-7 | 8-15, K halves 0 | 1
                gpu::ldmatrix_x4(fb[j], ((stage + at_b) ^ kk * 32) + j * 16 * Tile::ROW_BYTES);
#pragma unroll
            for (int i = 0; i < MI; ++i)
#pragma unroll
                for (int j = 0; j < NI; ++j)
                    gpu::mma_m16n8k16<T>(acc[i][j], fa[i], fb[j / 2][j % 2 * 2], fb[j / 2][j % 2 * 2 + 1]);
        }
    });
    float2 bias[NI];  // a column behind the last takes any: it is not stored
#pragma unroll
    for (int j = 0; j < NI; ++j) {
        const int wanted = n0 + warp_n + j * 8 + lane % 4 * 2, column = wanted < p.k ? wanted : p.k - 2;
        bias[j] = *reinterpret_cast<const float2*>(p.bias + column);
    }
    gpu::cp_async_wait<0>();
    gpu::sync_block();  // the ring becomes the output tile

    const int pixels = p.n * p.p * p.q;
    auto for_each_vec = [&](auto&& body) {  // (byte offset in the tile, element offset in y)
        constexpr int VECS = Tile::BN / 8;
#pragma unroll
        for (int base = 0; base < Tile::BM * VECS; base += Tile::THREADS) {
            const int i = base + int(threadIdx.x), row = i / VECS, v = i % VECS;
            if (m0 + row < pixels && n0 + v * 8 < p.k)
                body((row * Tile::OUT_PITCH + v * 8) * 2, 1ll * (m0 + row) * p.y_pitch + n0 + v * 8);
        }
    };
    if (p.residual) {
        const T* residual = static_cast<const T*>(p.residual);
        for_each_vec([&](int at, long long index) { gpu::cp_async_16(smem + at, residual + index, true); });
        gpu::cp_async_commit();
        gpu::cp_async_wait<0>();
        gpu::sync_block();
    }
    u32* tile = reinterpret_cast<u32*>(shared);
#pragma unroll
    for (int j = 0; j < NI; ++j) {
        const int col = warp_n + j * 8 + lane % 4 * 2;
#pragma unroll
        for (int i = 0; i < MI; ++i)
#pragma unroll
            for (int h = 0; h < 2; ++h) {  // fragment rows lane / 4 and lane / 4 + 8
                u32& cell = tile[((warp_m + i * 16 + h * 8 + lane / 4) * Tile::OUT_PITCH + col) / 2];
                float v0 = acc[i][j][h * 2] + bias[j].x, v1 = acc[i][j][h * 2 + 1] + bias[j].y;
                if (p.residual) {
                    const float2 add = gpu::unpack2<T>(cell);
                    v0 += add.x, v1 += add.y;
                }
                cell = p.relu ? gpu::pack2_relu<T>(v0, v1) : gpu::pack2<T>(v0, v1);
            }
    }
    gpu::sync_block();
    T* y = static_cast<T*>(p.y);
    Overflow<T> overflow;
    for_each_vec([&](int at, long long index) {
        const uint4 v = *reinterpret_cast<const uint4*>(shared + at);
        overflow.see(v.x), overflow.see(v.y), overflow.see(v.z), overflow.see(v.w);
        *reinterpret_cast<uint4*>(y + index) = v;
    });
    overflow.report(p.overflow);
}

}  // namespace conv2d
